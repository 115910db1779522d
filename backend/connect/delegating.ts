import { WaybillError } from '../../shared/errors.ts'
import type { Acts } from '../audit/acts.ts'
import type { TokenSource } from '../clouds/cloud.ts'
import type { Connections } from '../records/connections.ts'
import type { People, Person } from '../records/people.ts'
import { viewOf } from './connections-view.ts'
import type { ConnectionView } from './connections-view.ts'
import { delegatedScopes, processDelegated, requestDelegated } from './delegate.ts'
import type { DelegatedAnswer, ServiceAccount } from './delegate.ts'
import { keepAccount } from './keep-account.ts'
import type { Account } from './keep-account.ts'
import type { OAuthEndpoint } from './oauth-server.ts'
import type { Policing } from './policing.ts'
import type { AccessGrant } from './refresh.ts'

const PATIENCE_MS = 30_000

/** What Google is asked with a delegated token. */
export interface Directory {
  /** Google's id of the account that a token acts for. Throws `connection_expired`, `unavailable`. */
  subject(token: string): Promise<string>
  /** Somebody by Google's id or their address; `not_admin` when the token's person may not ask. Throws `unavailable`. */
  user(token: string, key: string): Promise<DirectoryEntry | 'not_admin' | null>
}

interface DirectoryEntry {
  readonly id: string
  readonly isAdmin: boolean
  readonly suspended?: boolean | undefined
  readonly customerId: string
}

/** How far a domain is delegated. */
export interface Delegation {
  /** What an administrator enters in Google's console; null where the operator has set up no service account. */
  readonly clientId: string | null
  readonly scopes: readonly { readonly scope: string; readonly granted: boolean }[]
}

/** Acting for people of a domain that was delegated to Waybill. */
export interface Delegating {
  /** Which scopes Google grants for this address, each asked for alone. */
  look(address: string): Promise<Delegation>
  /**
   * Asks the directory, in their own name, whether somebody is an administrator: which customer they are one of; null if
   * they are none, or nobody can tell.
   */
  administers(person: Person): Promise<{ readonly customer: string } | null>
  /** Google's id of somebody and their customer, asked in an administrator's name; null if they are not in that directory. */
  lookUp(
    administrator: string,
    key: string,
  ): Promise<{ readonly id: string; readonly customer: string } | null>
  /** A token for the Drive of a person, with whose it is. Throws `connection_expired`, `unavailable`. */
  grant(user: string): Promise<AccessGrant>
  /** Connects a person's Drive without asking them: their administrator has. Throws `forbidden` where none has. */
  connect(user: string): Promise<ConnectionView>
}

export interface DelegatingDeps {
  /** Null where the operator has set up none. */
  readonly account: () => Promise<ServiceAccount | null>
  readonly endpoint: OAuthEndpoint
  readonly directory: Directory
  readonly people: Pick<People, 'find'>
  readonly policing: Pick<Policing, 'refuse'>
  readonly connections: Connections
  readonly acts: Pick<Acts, 'leaf'>
  readonly whose: (provider: 'google-drive', token: TokenSource) => Promise<Account>
  /** Whether the whole Drive may be read at all. */
  readonly isWholeAllowed: boolean
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

/** @returns it, for the service account given. */
export function createDelegating(deps: DelegatingDeps): Delegating {
  const { endpoint, directory, people, now } = deps

  const ask = async (whose: string, scopes: readonly string[]): Promise<DelegatedAnswer> => {
    const account = await deps.account()
    if (account === null) return { kind: 'not_delegated' }
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const response = await requestDelegated(endpoint, account, { whose, scopes }, now(), signal)
    return processDelegated(endpoint, response)
  }

  const lookIn = async (administrator: string, key: string) => {
    const token = await ask(administrator, [delegatedScopes.directory])
    return token.kind === 'granted' ? directory.user(token.accessToken, key) : 'not_admin'
  }

  const grant = async (user: string): Promise<AccessGrant> => {
    const person = await people.find(user)
    if (person === null || person.address === null) throw withdrawn()
    const scopes = [delegatedScopes.identity, delegatedScopes.drive]
    const answer = await ask(person.address, scopes)
    if (answer.kind !== 'granted') throw withdrawn()
    const { accessToken, expiresIn } = answer
    // The address may be somebody else's by now: the token says whose account it is for.
    const subject = await directory.subject(accessToken)
    return { accessToken, expiresIn, refreshToken: null, subject }
  }

  return {
    look: async (address) => {
      const scopes = Object.values(delegatedScopes).map(async (scope) => {
        const { kind } = await ask(address, [scope])
        return { scope, granted: kind === 'granted' }
      })
      const account = await deps.account()
      return { clientId: account?.clientId ?? null, scopes: await Promise.all(scopes) }
    },
    administers: async ({ address, sub }) => {
      if (address === null) return null
      const found = await lookIn(address, sub)
      if (found === null || found === 'not_admin') return null
      const isOne = found.id === sub && found.isAdmin && found.suspended !== true
      return isOne ? { customer: found.customerId } : null
    },
    lookUp: async (administrator, key) => {
      const found = await lookIn(administrator, key)
      if (found === 'not_admin')
        throw new WaybillError('connection_expired', 'The domain has to be connected again.')
      return found === null ? null : { id: found.id, customer: found.customerId }
    },
    grant,
    connect: async (user) => {
      const person = await people.find(user)
      if (person === null || (await deps.account()) === null)
        throw new WaybillError('forbidden', 'No domain has let Waybill act for this account.')
      if (!deps.isWholeAllowed)
        throw new WaybillError(
          'invalid_request',
          'Here Waybill may only be given picked files: its operator has not allowed the whole Drive.',
        )
      const source = { provider: 'google-drive', whole: true } as const
      await deps.policing.refuse(user, { source })
      const given = await grant(user)
      if (given.subject !== person.sub)
        throw new WaybillError('account_changed', 'The address of this account is not yours now.')
      const token = { get: async () => given.accessToken, reject: () => undefined }
      const drive = await deps.whose('google-drive', token)
      const proven = { provider: 'google-drive', account: drive, grant: given } as const
      const delegated = { ...proven, refreshToken: '', tier: 'whole', isDelegated: true } as const
      return viewOf(await keepAccount(deps, user, delegated, true))
    },
  }
}

function withdrawn(): WaybillError {
  return new WaybillError(
    'connection_expired',
    'Google does not let Waybill act for this account any more.',
  )
}
