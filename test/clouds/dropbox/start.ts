import { createCallLog } from '../call-log.ts'
import { createFaults } from '../faults.ts'
import { serve } from '../http-server.ts'
import { authorizeRoutes } from '../oauth/authorize-routes.ts'
import { createAuthorizationServer } from '../oauth/authorization-server.ts'
import { oauthControl } from '../oauth/control.ts'
import { dropbox as provider, dropboxScopes } from '../oauth/dropbox.ts'
import { createQuota } from '../quota.ts'
import type { CloudOptions, SimulatedCloud } from '../simulated-cloud.ts'
import { createTokens } from '../tokens.ts'
import type { Account } from '../tokens.ts'
import { accountRoutes } from './account-routes.ts'
import { createAccountState } from './account-state.ts'
import type { AccountState, Limits } from './account-state.ts'
import { batchRoutes } from './batch-routes.ts'
import { createControls } from './controls.ts'
import type { DropboxControls } from './controls.ts'
import { dumpTree } from './dump.ts'
import type { DropboxDump } from './dump.ts'
import { badCall } from './endpoint-error.ts'
import type { Dropbox } from './endpoint.ts'
import { folderRoutes } from './folder-routes.ts'
import { createGuard } from './guard.ts'
import { readRoutes } from './read-routes.ts'
import { createSpool } from './spool.ts'
import { uploadRoutes } from './upload-routes.ts'

/** What a simulated Dropbox is started with, beside what every cloud has. */
export interface DropboxOptions extends CloudOptions {
  /** False: uploaded bytes are dropped once they are hashed. They can then never be downloaded. */
  readonly keepContent?: boolean
  /** Bytes of one upload that stay in memory; what is longer goes to a temporary folder. 1 MiB unless given. */
  readonly inMemory?: number
  /** Bytes that the account may use; 2 TiB unless given. */
  readonly space?: number
  /** Other limits than the service's own. */
  readonly limits?: Partial<Limits>
}

/** A simulated Dropbox. The controls are those of its first account. */
export interface SimulatedDropbox extends SimulatedCloud, DropboxControls {
  dump(): Promise<DropboxDump>
  /** Adds a further account, empty and with tokens of its own. */
  addAccount(id: string, email: string): Account & DropboxControls
}

const MiB = 1024 * 1024

/** The service's own limits, and times that make a test quick. */
const ownLimits: Limits = {
  request: 150 * MiB,
  file: 2 ** 41 - 2 ** 22,
  sessionLifeMs: 7 * 24 * 3600 * 1000,
  headers: 16 * 1024,
  page: 500,
  callsPerMinute: Infinity,
  asyncFolders: 1000,
  jobChecks: 1,
  writeMs: 2,
  writeEntryMs: 0.02,
}

/** Starts a simulated Dropbox on 127.0.0.1: API, content and token endpoint on one port. */
export async function startDropbox(options: DropboxOptions = {}): Promise<SimulatedDropbox> {
  const { now = Date.now, seed = 0, space = 2 * MiB * MiB, keepContent = true } = options
  const limits: Limits = { ...ownLimits, ...options.limits }
  const spool = createSpool({ inMemory: options.inMemory ?? MiB, keepContent })
  const calls = createCallLog()
  const faults = createFaults('dropbox', options.faults)
  const server = createAuthorizationServer(provider, { prefix: 'dropbox.token', now })
  const tokens = createTokens(server, {
    person: {
      id: 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc',
      email: 'owner@dropbox.example',
      name: 'Dropbox Owner',
    },
    scopes: dropboxScopes,
    redirectUris: options.redirectUris ?? [],
  })
  const accounts = new Map<string, AccountState>()

  function addState({ id, email }: Pick<Account, 'id' | 'email'>): AccountState {
    const namespace = String(1001 + accounts.size)
    const common = { seed, spool, now, limits, allocated: space }
    const state = createAccountState({ id, email, namespace, ...common })
    accounts.set(id, state)
    return state
  }

  function stateOf(id: string): AccountState {
    const state = accounts.get(id)
    if (state !== undefined) return state
    // Somebody who came in by the consent page, for the first time.
    const person = server.people.byId(id)
    if (person === undefined) throw new Error('a token belongs to an account that does not exist')
    return addState(person)
  }

  const dropbox: Dropbox = {
    limits,
    now,
    accountOf(call) {
      const checked = tokens.check(call.headers.authorization)
      if (checked.state !== 'valid') throw new Error('the guard let a bad token through')
      return stateOf(checked.accountId)
    },
    revoke: (call) => tokens.revoke((call.headers.authorization ?? '').slice('bearer '.length)),
  }

  const first = addState(tokens.account)
  const quota = createQuota(
    { unitsPerMinute: limits.callsPerMinute, per: 'user', mode: 'calls' },
    now,
  )
  const served = await serve({
    port: options.port ?? 0,
    latencyMs: options.latencyMs ?? 0,
    calls,
    faults,
    routes: [
      tokens.route,
      ...authorizeRoutes(server),
      ...accountRoutes(dropbox),
      ...uploadRoutes(dropbox),
      ...batchRoutes(dropbox),
      ...folderRoutes(dropbox),
      ...readRoutes(dropbox),
    ],
    guard: createGuard({ tokens, quota, headers: limits.headers, account: stateOf }),
    unknownRoute: (_, path) => badCall(path.replace(/^\/2\//, ''), 'Unknown API function'),
  })

  return {
    url: served.url,
    account: tokens.account,
    tokens,
    oauth: oauthControl(server, tokens.account.clientId),
    calls,
    faults,
    setOffline: served.setOffline,
    ...createControls(first, now),
    dump: () => dumpTree(first.tree, keepContent),
    addAccount(id, email) {
      const account = tokens.addAccount({ id, email, name: email })
      return { ...account, ...createControls(addState(account), now) }
    },
    async close() {
      await served.close()
      spool.close()
    },
  }
}
