import type { AlarmKind } from '../../shared/alarm.ts'
import type { Acts } from '../audit/acts.ts'
import type { ApiKeys } from '../records/api-keys.ts'
import type { Connections } from '../records/connections.ts'
import { hashed } from '../records/hashed-secret.ts'
import type { Sessions } from '../records/sessions.ts'
import type { Store } from '../store/store.ts'
import type { AlarmResponse, Alarms } from './alarms.ts'

/** How old an event may be: within this time each is heeded once, and later not at all. */
export const googleEventMs = 30 * 24 * 60 * 60_000

/** What Google reports of an account, as far as anything is done about it. */
export type GoogleEventKind =
  | 'sessions_revoked'
  | 'tokens_revoked'
  | 'account_hijacked'
  | 'account_disabled'
  | 'credentials_in_danger'

/** One report: its id, whom it is about, and Google's own id of that person. */
export interface GoogleEvent {
  readonly jti: string
  readonly user: string
  readonly subject: string
  readonly kinds: readonly GoogleEventKind[]
}

/** Acts on what Google reports of people. */
export interface GoogleEvents {
  /** Heeds a report, once; of people whom nobody knows here nothing is done or kept. May be asked again if it was cut off. */
  heed(event: GoogleEvent): Promise<void>
}

const alarming: Partial<Readonly<Record<GoogleEventKind, readonly [AlarmKind, AlarmResponse?]>>> = {
  // Whoever has the account now could end what an alarm is only noted of.
  account_hijacked: ['account_hijacked', 'freeze'],
  account_disabled: ['account_disabled'],
  credentials_in_danger: ['credentials_in_danger'],
}

/** @returns what acts on reports, on the records given. */
export function createGoogleEvents(deps: {
  readonly store: Store
  readonly acts: Acts
  readonly sessions: Pick<Sessions, 'endAll'>
  readonly apiKeys: Pick<ApiKeys, 'revokeAll'>
  readonly connections: Connections
  readonly alarms: Alarms
  /** Milliseconds since 1970. */
  readonly now: () => number
}): GoogleEvents {
  const { store, acts, sessions, apiKeys, alarms, now } = deps

  const act = async (kind: GoogleEventKind, { user, subject }: GoogleEvent): Promise<void> => {
    const alarm = alarming[kind]
    if (alarm !== undefined) await alarms.raise(user, ...alarm)
    if (kind === 'credentials_in_danger') return
    const count = await sessions.endAll(user)
    if (count > 0)
      await acts.record(user, { act: 'sessions_ended', target: null, details: { count } })
    if (kind === 'account_hijacked') await apiKeys.revokeAll(user)
    if (kind === 'tokens_revoked') await expire(deps.connections, user, subject)
  }

  return {
    heed: async (event) => {
      // Asking for a person's keys would make some for whoever has none.
      if ((await store.get('keys', event.user)) === null) return
      const key = hashed('event', event.jti)
      if ((await store.get('googleEvents', key)) !== null) return
      for (const kind of event.kinds) await act(kind, event)
      // Only now: what was cut off is sent again, and everything that is done may be done twice.
      const expiresAt = now() + googleEventMs + 24 * 60 * 60_000
      const fields = { heededAt: now() }
      await store.transact(async (transaction) =>
        transaction.put('googleEvents', { key, fields, body: null, expiresAt }),
      )
    },
  }
}

/** Their tokens are good no more: their owner has to connect them again. */
async function expire(connections: Connections, user: string, subject: string): Promise<void> {
  for (const { id, provider, credentials } of await connections.list(user)) {
    if (provider !== 'google-drive' || (credentials.subject ?? subject) !== subject) continue
    await connections.update(user, id, ({ state }) =>
      state === 'active' ? { state: 'expired' } : null,
    )
  }
}
