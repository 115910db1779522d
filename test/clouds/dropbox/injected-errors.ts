import type { Call } from '../call.ts'
import { randomBelow } from '../random.ts'
import type { WriteError } from './write-rules.ts'

/** Faults of a commit: the call is handled as usual until the file would be saved. */
const writeErrors: Readonly<Record<string, WriteError>> = {
  'dropbox.insufficient_space': { '.tag': 'insufficient_space' },
  'dropbox.disallowed_name': { '.tag': 'disallowed_name' },
  'dropbox.no_write_permission': { '.tag': 'no_write_permission' },
  'dropbox.access_restricted': { '.tag': 'access_restricted' },
}

/** The fault that makes some entries of a batch fail while the call succeeds. */
const lockedEntries = 'dropbox.too_many_write_operations_entry'

/** Why this call's file is not to be saved, when a fault says so. */
export function injectedWriteError(call: Call): WriteError | null {
  return writeErrors[call.fault?.id ?? ''] ?? null
}

/** Which of a batch's entries a fault hits, and with what error. */
export function injectedEntryErrors(
  call: Call,
  entries: number,
): ReadonlyMap<number, { readonly '.tag': string; readonly path?: WriteError }> {
  const { fault } = call
  if (fault === null || entries === 0) return new Map()
  const write = injectedWriteError(call)
  if (write !== null)
    return new Map([[randomBelow(fault.random, entries), { '.tag': 'path', path: write }]])
  if (fault.id !== lockedEntries) return new Map()
  // One entry at least, and about every tenth of the others.
  const locked = { '.tag': 'too_many_write_operations' }
  const hit = new Map([[randomBelow(fault.random, entries), locked]])
  for (let at = 0; at < entries; at++) if (fault.random() < 0.1) hit.set(at, locked)
  return hit
}
