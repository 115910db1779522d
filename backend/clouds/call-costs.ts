import type { ProviderId } from '../../shared/job.ts'

/** What a call does, as far as its price goes. */
type CallKind = 'get' | 'list' | 'open' | 'write' | 'other'

/** What a call of each kind takes from a provider's quota, in the provider's units. */
export type CallCosts = Readonly<Record<CallKind, number>>

export const callCosts: Readonly<Record<ProviderId, CallCosts>> = {
  // Quota units: https://developers.google.com/workspace/drive/api/guides/limits
  'google-drive': { get: 5, list: 100, open: 200, write: 50, other: 5 },
  // Dropbox says only that it counts calls: https://developers.dropbox.com/error-handling-guide
  dropbox: { get: 1, list: 1, open: 1, write: 1, other: 1 },
}
