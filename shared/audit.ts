/**
 * What can be told of in an audit log, each with the words that a person is shown. A name is part of what is hashed and
 * signed, so one that was ever written keeps its meaning.
 */
const acts = {
  signed_in: 'signed in',
  signed_out: 'signed out',
  account_connected: 'connected an account',
  account_confirmed: 'confirmed which account it is',
  account_disconnected: 'disconnected an account',
  files_picked: 'picked files',
  job_created: 'created a job',
  job_run_again: 'ran a job again',
  job_paused: 'paused a job',
  job_resumed: 'resumed a job',
  job_cancelled: 'cancelled a job',
  job_rescheduled: 'changed the schedule of a job',
  receipt_fetched: 'fetched a receipt',
  keys_rewrapped: 'put keys under the newest outer key',
  keys_rotated: 'replaced people’s keys',
  policy_changed: 'changed the policy',
  domain_connected: 'connected a domain',
  account_reassigned: 'was refused an account that is somebody else’s now',
  user_frozen: 'froze a user',
  user_unfrozen: 'unfroze a user',
  user_erased: 'erased a user',
  data_exported: 'exported everything that is kept about them',
  alarm_raised: 'raised an alarm',
  api_key_created: 'created an API key',
  api_key_revoked: 'revoked an API key',
  sessions_ended: 'ended all sessions',
} as const satisfies Record<string, string>

export type ActName = keyof typeof acts

/** All of them. */
export const actNames: readonly ActName[] = Object.keys(acts).filter(isActName)

/** @returns what was done, in words that follow the name of who did it. */
export function actWords(act: ActName): string {
  return acts[act]
}

/** @returns whether `value` is one of our acts (for names read back from a store or a file). */
export function isActName(value: unknown): value is ActName {
  return typeof value === 'string' && Object.hasOwn(acts, value)
}

export const actResults = ['done', 'refused', 'failed'] as const

export type ActResult = (typeof actResults)[number]

/** One act, as a line of its tenant's log: nothing in it says who or what it was about without the keys of that person. */
export interface AuditLine {
  readonly v: 1
  /** From 0, without a gap. */
  readonly number: number
  /** When it was done, RFC 3339. */
  readonly at: string
  /** Stands for who did it; the same person has the same one in each line that is sealed with the same keys. */
  readonly actor: string
  readonly act: ActName
  /** Stands for what it was done to; null if there is no such thing. */
  readonly target: string | null
  readonly result: ActResult
  /** SHA-256 of the details as they are sealed, as hex: it holds when the keys are gone. */
  readonly sealedHash: string
  /** SHA-256 of the details' text, as hex. They begin with chance, so it says nothing about them once they are erased. */
  readonly detailsHash: string
  /** The RFC 6962 leaf hash of the line before, as hex; null in the first. */
  readonly prev: string | null
}

/** What is sealed of an act. */
export type ActDetails = Readonly<Record<string, string | number | boolean | null>>

/** A line with what belongs to it. */
export interface AuditEntry {
  readonly line: AuditLine
  /** The sealed details, as base64url; null once they are erased. */
  readonly sealed: string | null
  /** The details; null for whoever has not the keys, or once they are erased. */
  readonly details: ActDetails | null
}

/** Each line of an exported log is one of these: first the keys, then the lines, each signed head after its last line. */
export type AuditExport =
  | AuditEntry
  /** A signed tree head: https://c2sp.org/tlog-checkpoint */
  | { readonly head: string }
  /** What heads are verified with: https://pkg.go.dev/golang.org/x/mod/sumdb/note#hdr-Verifying_Notes */
  | { readonly key: string }

/** @returns the one text of a line: what is hashed. */
export function auditLineText(line: AuditLine): string {
  const { v, number, at, actor, act, target, result, sealedHash, detailsHash, prev } = line
  return JSON.stringify({
    v,
    number,
    at,
    actor,
    act,
    target,
    result,
    sealedHash,
    detailsHash,
    prev,
  })
}
