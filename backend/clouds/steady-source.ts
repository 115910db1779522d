import { callCosts } from './call-costs.ts'
import type { Source } from './cloud.ts'
import { createRetry } from './retried.ts'
import type { RetryOptions } from './retried.ts'

/**
 * @returns the source with a pace and with patience: passing errors are tried again, what is left is thrown on. Bytes
 *   that an opened stream fails to bring are not: who reads knows how far it got, and opens again from there.
 */
export function steadySource(source: Source, options: RetryOptions): Source {
  const retry = createRetry(options)
  const cost = callCosts[source.provider]
  return {
    provider: source.provider,
    capabilities: source.capabilities,
    account: () => retry.once(cost.get, () => source.account()),
    ownDrive: () => retry.once(cost.get, () => source.ownDrive()),
    sharedDrives: () => retry.once(cost.list, () => source.sharedDrives()),
    get: (id) => retry.once(cost.get, () => source.get(id)),
    list: (listing, cursor) => retry.once(cost.list, () => source.list(listing, cursor)),
    changesToken: (corpus) => retry.once(cost.other, () => source.changesToken(corpus)),
    changes: (corpus, token) => retry.once(cost.list, () => source.changes(corpus, token)),
    open: (item, at) => retry.once(cost.open, () => source.open(item, at), at.signal),
  }
}
