import { WaybillError } from '../../shared/errors.ts'
import type { Acts } from '../audit/acts.ts'
import type { Connection, Connections } from '../records/connections.ts'
import { refuseFrozen } from '../records/freezes.ts'
import type { Picks } from '../records/picks.ts'
import type { Store } from '../store/store.ts'
import type { Policing } from './policing.ts'
import type { Tokens } from './tokens.ts'

/** What Google's file picker needs: https://developers.google.com/workspace/drive/picker/guides/overview */
export interface Picker {
  readonly scriptUrl: string
  readonly apiKey: string
  /** The number of the Cloud project, to which what is picked is granted. */
  readonly appId: string
}

/** The picker with the token by which it shows a person their files. */
export interface OpenPicker extends Picker {
  readonly token: string
  /** Which account it is, as its provider names it. */
  readonly account: string
}

/**
 * Picking files in a Google Drive that Waybill may use only file by file. The choice is made in Google's own picker, in
 * the browser; what Google grants by it stays granted, and the ids wait a day for the job that copies them.
 */
export interface Picking {
  /**
   * Throws `not_found`, `wrong_state` for an account in which nothing is picked, `settings_invalid` without a picker, and
   * `connection_expired`, `frozen`, `policy_refused`.
   */
  open(user: string, connection: string): Promise<OpenPicker>
  /** Throws `not_found` and `wrong_state` as `open`. */
  keep(user: string, connection: string, ids: readonly string[]): Promise<void>
  /** What was picked in the last day, and when, RFC 3339; nothing and null if nothing was. Throws `not_found`. */
  picked(
    user: string,
    connection: string,
  ): Promise<{
    /** The page on which files are picked. */
    readonly url: string
    readonly ids: readonly string[]
    readonly pickedAt: string | null
  }>
}

/** @returns picking with `picker`, null where this installation has none. */
export function createPicking({
  store,
  connections,
  tokens,
  policing,
  picks,
  acts,
  picker,
  publicUrl,
}: {
  readonly store: Store
  readonly connections: Connections
  readonly tokens: Tokens
  /** Keeps people to the policy of their domain; there is none unless given. */
  readonly policing?: Pick<Policing, 'refuse'>
  readonly picks: Picks
  readonly acts: Pick<Acts, 'leaf'>
  readonly picker: Picker | null
  readonly publicUrl: () => string
}): Picking {
  const pickable = async (user: string, id: string): Promise<Connection> => {
    const connection = await connections.get(user, id)
    const { provider, state, credentials } = connection
    // The page is given a token: never one that opens more than what people pick.
    if (provider !== 'google-drive' || credentials.tier !== 'picked')
      throw new WaybillError('wrong_state', 'In this account no files have to be picked.')
    if (state !== 'active')
      throw new WaybillError('wrong_state', 'This account has to be confirmed or connected first.')
    // A token that is good still would be given to the page, whatever is frozen or forbidden.
    await refuseFrozen(store, user)
    await policing?.refuse(user, { source: { provider, whole: false } })
    return connection
  }

  return {
    open: async (user, id) => {
      const { credentials } = await pickable(user, id)
      if (picker === null)
        throw new WaybillError('settings_invalid', 'This Waybill has no file picker.')
      return { ...picker, token: await tokens.of(user, id).get(), account: credentials.label }
    },
    keep: async (user, id, ids) => {
      await pickable(user, id)
      const details = { connection: id, count: ids.length }
      const leaf = await acts.leaf(user, { act: 'files_picked', target: id, details })
      await picks.keep(user, id, ids, leaf)
    },
    picked: async (user, id) => {
      await connections.get(user, id)
      const found = await picks.find(user, id)
      return {
        url: `${publicUrl()}/connect/accounts/${id}/pick`,
        ids: found?.ids ?? [],
        pickedAt: found === null ? null : new Date(found.pickedAt).toISOString(),
      }
    },
  }
}
