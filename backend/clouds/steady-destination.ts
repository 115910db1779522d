import { asWaybillError, hasCode } from '../../shared/errors.ts'
import type { HashName } from '../../shared/item.ts'
import { callCosts } from './call-costs.ts'
import type { Commit, Copy, Destination, Result, Session } from './cloud.ts'
import { createRetry } from './retried.ts'
import type { RetryOptions } from './retried.ts'

const hashNames: readonly HashName[] = ['contentHash', 'sha256', 'sha1', 'md5']

/**
 * @returns the destination with a pace and with patience. Writes are repeated too, which the contract makes safe: where
 *   a repeat finds that the first attempt had landed although its answer was lost, that is the answer.
 */
export function steadyDestination(destination: Destination, options: RetryOptions): Destination {
  const retry = createRetry(options)
  const cost = callCosts[destination.provider]
  const find: Destination['find'] = (place) => retry.once(cost.get, () => destination.find(place))

  /**
   * Looks whether a commit that failed only because an earlier attempt had landed has put its bytes where they belong.
   *
   * @param lost what the commit came back with
   * @param unsure whether there was an earlier attempt whose answer was lost
   */
  async function landed(
    commit: Commit,
    lost: Result<Copy>,
    unsure: boolean,
  ): Promise<Result<Copy>> {
    try {
      const there = await find(commit.place)
      if (there === null || !('file' in there)) return lost
      return isFrom(commit, there.file, unsure) ? { ok: there.file } : lost
    } catch (error) {
      if (options.signal?.aborted) throw error
      return { error: asWaybillError(error) }
    }
  }

  return {
    provider: destination.provider,
    capabilities: destination.capabilities,
    openFolder: (path) => retry.once(cost.write, () => destination.openFolder(path)),
    ensureFolders: async (places) =>
      (await retry.each(cost.write, places, (some) => destination.ensureFolders(some))).results,
    ...(destination.stage && {
      stage: async (bodies: readonly Uint8Array[], ahead?: number) => {
        const send = async (some: readonly Uint8Array[]): Promise<readonly Result<Session>[]> =>
          (await destination.stage?.(some, ahead)) ?? []
        return (await retry.each(cost.write, bodies, send)).results
      },
    }),
    begin: (bytes, last, hashes) =>
      retry.once(cost.write, () => destination.begin(bytes, last, hashes)),
    append: (session, offset, bytes, last, hashes) =>
      retry.once(cost.write, () => destination.append(session, offset, bytes, last, hashes)),
    commit: async (commits) => {
      const { results, unsure } = await retry.each(cost.write, commits, (some) =>
        destination.commit(some),
      )
      const settled: Result<Copy>[] = []
      for (const [index, commit] of commits.entries()) {
        const result = results[index]
        if (result === undefined) continue
        const code = 'error' in result ? result.error.code : null
        if (code === 'session_lost') settled.push(await landed(commit, result, unsure.has(index)))
        else if (code === 'name_taken' && unsure.has(index))
          settled.push(await landed(commit, result, false))
        else settled.push(result)
      }
      return settled
    },
    find,
    move: async (from, to) => {
      let attempts = 0
      try {
        return await retry.once(cost.write, () => {
          attempts += 1
          return destination.move(from, to)
        })
      } catch (error) {
        const done = hasCode(error, 'gone') || hasCode(error, 'name_taken')
        if (attempts < 2 || !done) throw error
        const there = await find(to)
        if (there === null) throw error
        const { id, path, version } =
          'file' in there ? there.file : { ...there.folder, version: null }
        if (id !== from.id) throw error
        return { id, path, version }
      }
    },
    open: (copy, at) => retry.once(cost.open, () => destination.open(copy, at), at.signal),
    changesSince: (folder, cursor) =>
      retry.once(cost.list, () => destination.changesSince(folder, cursor)),
    account: () => retry.once(cost.get, () => destination.account()),
  }
}

/**
 * Whether a file holds what was committed. Without a checksum in common its size must do, and only if we know that our
 * commit may have landed; whoever committed compares the copy with what was sent in any case.
 */
function isFrom(commit: Commit, copy: Copy, unsure: boolean): boolean {
  if (copy.bytes !== commit.size) return false
  // The version that was to be replaced is still there.
  if (commit.precondition.if === 'version' && commit.precondition.version === copy.version)
    return false
  const common = hashNames.filter(
    (name) => commit.hashes?.[name] !== undefined && copy.hashes[name] !== undefined,
  )
  if (common.length === 0) return unsure
  return common.every((name) => copy.hashes[name] === commit.hashes?.[name])
}
