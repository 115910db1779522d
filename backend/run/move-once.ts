import { hasCode } from '../../shared/errors.ts'
import type { Destination, Place } from '../clouds/cloud.ts'

/**
 * Moves a file or folder of ours. If it is not where the ledger says but already where it is to go, an earlier worker
 * moved it and ended before it could record that: this is the move.
 *
 * @returns where it is now; `version` null if the provider did not say or it is a folder
 * @throws WaybillError `gone` when it is at neither place, `name_taken`, …
 */
export async function moveOnce(
  destination: Destination,
  from: { readonly id: string; readonly path: string },
  to: Place,
): Promise<{ readonly id: string; readonly path: string; readonly version: string | null }> {
  try {
    return await destination.move(from, to)
  } catch (error) {
    if (!hasCode(error, 'gone') && !hasCode(error, 'name_taken')) throw error
    const there = await destination.find(to)
    if (there === null) throw error
    const found = 'file' in there ? there.file : { ...there.folder, version: null }
    if (found.id !== from.id) throw error
    return { id: found.id, path: found.path, version: found.version }
  }
}
