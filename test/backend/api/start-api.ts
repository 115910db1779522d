import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import supertest from 'supertest'
import { createAuthenticate } from '../../../backend/api/authenticate.ts'
import { createGoogleKeys } from '../../../backend/api/google-keys.ts'
import type { Ready } from '../../../backend/api/health.ts'
import { createApp, createHttpServer, type AppDeps } from '../../../backend/app.ts'
import type { ConnectionView } from '../../../backend/connect/connections-view.ts'
import { createLog } from '../../../backend/log.ts'
import type { ApiKeyView } from '../../../shared/api-key.ts'
import { WaybillError } from '../../../shared/errors.ts'
import type { JobRequest } from '../../../shared/job.ts'
import { createMemoryAudit } from './memory-audit.ts'
import { createMemoryJobs, type MemoryJobs } from './memory-jobs.ts'
import { listen } from './listen.ts'
import { audience, issuer, startTokenIssuer, type TokenIssuer } from './token-issuer.ts'

export const request: JobRequest = {
  kind: 'copy',
  source: { connection: 'drive-1', selection: { kind: 'folder', id: '0B_folder' } },
  destination: { connection: 'dropbox-1', folder: '/Backups/Drive' },
}

const connections: readonly ConnectionView[] = [
  {
    id: 'drive-1',
    provider: 'google-drive',
    account: 'ada@example.com',
    state: 'ready',
    tier: 'picked',
  },
  {
    id: 'dropbox-1',
    provider: 'dropbox',
    account: 'ada@example.org',
    state: 'expired',
    tier: null,
  },
]

/** What the API needs besides jobs, with two connections that are everybody's. */
export function memoryAccounts(): Pick<
  AppDeps,
  'connections' | 'connecting' | 'disconnecting' | 'picking' | 'freezing' | 'apiKeys' | 'rights'
> {
  const found = (id: string): ConnectionView => {
    const connection = connections.find((each) => each.id === id)
    if (connection === undefined)
      throw new WaybillError('not_found', 'There is no such connection.')
    return connection
  }
  const until = '2027-01-15T12:10:00.000Z'
  const [frozen, free] = [
    { frozen: true, since: until },
    { frozen: false, since: null },
  ]
  return {
    connections: { list: async () => connections },
    connecting: {
      start: async (_user, { provider }) => {
        if (provider === 'box') throw new WaybillError('settings_invalid', 'Not set up.')
        return { url: 'https://waybill.example/connect/ticket', expiresAt: until }
      },
      confirm: async (_user, id) => found(id),
    },
    disconnecting: {
      disconnect: async (_user, id) => ({
        outcome: found(id).state === 'ready' ? 'revoked' : 'pending',
        link: 'https://example.com/connections',
      }),
      pending: async () => [{ id: 'box-1', provider: 'box', until }],
    },
    rights: {
      async *export(user) {
        const texts = { about: 'a', kinds: { job: 'a job' }, leftOut: {} }
        yield JSON.stringify({ export: { version: 1, at: until, user, ...texts } })
        yield JSON.stringify({ kind: 'job', data: { id: 'job-001' } })
        yield JSON.stringify({ end: { lines: 1 } })
      },
      eraseAsk: async () => ({ code: 'AAAAA-AAAAA', until }),
      erase: async (_user, code) => {
        if (code !== 'AAAAA-AAAAA') throw new WaybillError('invalid_request', 'Another code.')
        return { id: 'e-1', state: 'under_way', certificate: null, secret: 's' }
      },
      certificate: async (id) => {
        if (id !== 'e-1') throw new WaybillError('not_found', 'There is none.')
        return { id, state: 'erased', certificate: null }
      },
    },
    picking: {
      picked: async (_user, id) => ({
        url: `https://waybill.example/connect/accounts/${found(id).id}/pick`,
        ids: ['1abc'],
        pickedAt: until,
      }),
    },
    freezing: {
      look: async () => free,
      freeze: async () => frozen,
      unfreeze: async () => free,
      freezeByAlarm: async () => frozen,
      unfreezeSignedIn: async () => free,
    },
    apiKeys: memoryApiKeys(until),
  }
}

/** One key, which everybody has and which lets nobody in. */
function memoryApiKeys(time: string): AppDeps['apiKeys'] {
  const own: ApiKeyView = {
    id: 'key-1',
    name: 'Nightly',
    scopes: ['jobs:read'],
    from: ['192.0.2.0/24'],
    createdAt: time,
    expiresAt: time,
    lastUsedAt: null,
  }
  return {
    create: async () => ({ ...own, key: `wbk_${'a'.repeat(49)}` }),
    list: async () => [own],
    revoke: async (_user, id) => {
      if (id !== own.id) throw new WaybillError('not_found', 'There is no such key.')
    },
    revokeAll: async () => 0,
    find: async () => null,
    notice: async () => undefined,
  }
}

export interface Api extends AsyncDisposable {
  readonly url: string
  /** A client that speaks to the API without a token. */
  readonly http: ReturnType<typeof supertest>
  /** Sends what no client would, and gives the answer as it came. */
  raw(request: string): Promise<string>
  readonly jobs: MemoryJobs
  readonly issuer: TokenIssuer
  /** The lines of the log so far. */
  readonly log: string[]
  /** `Authorization` of a person. */
  bearer(sub?: string): Promise<string>
  setReady(ready: Ready): void
  /** Moves the API's clock, in milliseconds. */
  pass(ms: number): void
  /** The log, read, once it has so many lines: a request is written when it is over. */
  logged(lines: number): Promise<readonly unknown[]>
}

/** The whole API over real HTTP, with real tokens, on jobs in memory. `replace` takes the place of any part. */
export async function startApi(
  replace: (deps: AppDeps) => Partial<AppDeps> = () => ({}),
  rules: { readonly hostedDomains?: readonly string[] } = {},
): Promise<Api> {
  let now = Date.UTC(2027, 0, 15, 12)
  const clock = () => now
  const log: string[] = []
  const tokens = await startTokenIssuer(clock)
  const jobs = createMemoryJobs({ clock, connections: connections.map((each) => each.id) })
  let ready: Ready = async () => undefined

  const deps: AppDeps = {
    jobs,
    ...memoryAccounts(),
    audit: createMemoryAudit(),
    ready: () => ready(),
    log: createLog({ write: (line) => log.push(line), clock }),
    clock,
    authenticate: createAuthenticate({
      rules: {
        issuers: [issuer, 'accounts.google.com'],
        audiences: [audience, '1234-staging.apps.googleusercontent.com'],
        hostedDomains: rules.hostedDomains ?? [],
      },
      keys: createGoogleKeys({ url: tokens.jwksUrl, fetch, clock }),
      clock,
    }),
  }
  const server = createHttpServer(createApp({ ...deps, ...replace(deps) }))
  const { url, close } = await listen(server)

  return {
    url,
    http: supertest(url),
    raw: async (sent) => {
      const { port, hostname } = new URL(url)
      const socket = connect(Number(port), hostname)
      socket.end(sent)
      return text(socket)
    },
    jobs,
    issuer: tokens,
    log,
    bearer: async (sub = '110169484474386276334') => `Bearer ${await tokens.token({ sub })}`,
    setReady(next) {
      ready = next
    },
    pass(ms) {
      now += ms
    },
    async logged(lines) {
      while (log.length < lines) await new Promise((next) => setImmediate(next))
      return log.map((line): unknown => JSON.parse(line))
    },
    async [Symbol.asyncDispose]() {
      await tokens.close()
      await close()
    },
  }
}
