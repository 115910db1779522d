import { WaybillError, isErrorCode } from '../../shared/errors.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import { isOver, mayBecome, noTotals } from '../../shared/job.ts'
import type { RunPhase, RunProgress, RunState, Totals } from '../../shared/job.ts'
import type { Document, Store, Transaction } from '../store/store.ts'
import { moveDueRun } from './due-runs.ts'

/**
 * One execution of a job. The states and who may go where: `shared/job.ts`.
 *
 * A run is worked on by whoever holds its lease. `fence` counts hand-overs: a task carries the number it was made with,
 * and only the task with the newest number may take the lease.
 */
export interface Run {
  readonly id: string
  readonly user: string
  readonly job: string
  readonly number: number
  readonly state: RunState
  readonly phase: RunPhase
  readonly fence: number
  readonly holder: string | null
  readonly leaseUntil: number
  /** Slices in a row that ended because of something that may pass. */
  readonly attempts: number
  /** When the tick wakes it, if nothing else does; null if somebody must act. */
  readonly wakeAt: number | null
  /** Where its document stands in `due`; null if in no place. Only `keepRun` says so. */
  readonly dueAt: number | null
  readonly reason: ErrorCode | null
  /** Whether its owner, asked, has let it replace as many copies as it likes. */
  readonly mayReplaceMany: boolean
  readonly scanned: number
  readonly plannedItems: number
  readonly plannedBytes: number
  readonly unchanged: number
  /** Bytes that the destination has taken, of large files also what is not a file yet; about, if an upload began again. */
  readonly sent: number
  /** When bytes of large files under way were last added to it. */
  readonly sentAt: number
  readonly totals: Totals
  /** Pages of receipt lines written so far, and the items among them that had never been in a receipt before. */
  readonly pages: number
  readonly lines: number
  readonly added: number
  /** Items that are no longer part of the selection since this run. */
  readonly left: number
  readonly root: string | null
  readonly startedAt: number
  readonly endedAt: number | null
  /** Sealed; what the phase needs to go on. */
  readonly checkpoint: Uint8Array | null
}

/** What a lease's holder proves itself with. */
export interface Lease {
  readonly run: string
  readonly holder: string
}

export type Patch = Partial<Omit<Run, 'id' | 'user' | 'job' | 'number' | 'fence' | 'dueAt'>>

/** How long a lease lives without being renewed, in milliseconds, unless told otherwise. */
export const usualLeaseMs = 60_000

/** @returns the key of a job's run. */
export function runId(job: string, number: number): string {
  return `${job}-${String(number).padStart(6, '0')}`
}

/** @returns a run that waits for its first slice. */
export function newRun(user: string, job: string, number: number, now: number): Run {
  return {
    id: runId(job, number),
    user,
    job,
    number,
    state: 'queued',
    phase: 'scan',
    fence: 0,
    holder: null,
    leaseUntil: 0,
    attempts: 0,
    wakeAt: now,
    dueAt: null,
    reason: null,
    mayReplaceMany: false,
    scanned: 0,
    plannedItems: 0,
    plannedBytes: 0,
    unchanged: 0,
    sent: 0,
    sentAt: 0,
    totals: noTotals,
    pages: 0,
    lines: 0,
    added: 0,
    left: 0,
    root: null,
    startedAt: now,
    endedAt: null,
    checkpoint: null,
  }
}

/**
 * Keeps a run as it is now, and when it needs to be looked after: the only way to write one.
 *
 * @returns it as it is kept
 */
export function keepRun(transaction: Transaction, run: Run): Run {
  const kept = { ...run, dueAt: moveDueRun(transaction, run) }
  transaction.put('runs', runDocument(kept))
  return kept
}

/** Its totals are plain numbers that say nothing about any item. */
function runDocument(run: Run): Document {
  const { id, totals, checkpoint, ...fields } = run
  return { key: id, fields: { ...fields, ...totals }, body: checkpoint, expiresAt: null }
}

/** @returns the run kept in a document. */
export function runFrom(document: Document): Run {
  const { fields } = document
  const number = (name: string): number => Number(fields[name] ?? 0)
  const maybe = (name: string): number | null => (fields[name] === null ? null : number(name))
  const text = (name: string): string | null =>
    fields[name] === null ? null : String(fields[name])
  return {
    id: document.key,
    user: String(fields['user']),
    job: String(fields['job']),
    number: number('number'),
    state: stateOf(fields['state']),
    phase: phaseOf(fields['phase']),
    fence: number('fence'),
    holder: text('holder'),
    leaseUntil: number('leaseUntil'),
    attempts: number('attempts'),
    wakeAt: maybe('wakeAt'),
    dueAt: fields['dueAt'] === undefined ? null : maybe('dueAt'),
    reason: isErrorCode(fields['reason']) ? fields['reason'] : null,
    mayReplaceMany: fields['mayReplaceMany'] === true,
    scanned: number('scanned'),
    plannedItems: number('plannedItems'),
    plannedBytes: number('plannedBytes'),
    unchanged: number('unchanged'),
    sent: number('sent'),
    sentAt: number('sentAt'),
    totals: {
      copied: number('copied'),
      renamed: number('renamed'),
      moved: number('moved'),
      removed: number('removed'),
      skipped: number('skipped'),
      failed: number('failed'),
      bytes: number('bytes'),
    },
    pages: number('pages'),
    lines: number('lines'),
    added: number('added'),
    left: number('left'),
    root: text('root'),
    startedAt: number('startedAt'),
    endedAt: maybe('endedAt'),
    checkpoint: document.body,
  }
}

/** @returns the run as its owner sees it. */
export function progressOf(run: Run): RunProgress {
  const time = (ms: number | null): string | null =>
    ms === null ? null : new Date(ms).toISOString()
  return {
    run: run.id,
    number: run.number,
    state: run.state,
    phase: run.phase,
    scanned: run.scanned,
    plannedItems: run.plannedItems,
    plannedBytes: run.plannedBytes,
    unchanged: run.unchanged,
    sentBytes: run.sent,
    totals: run.totals,
    reason: run.reason,
    resumesAt: isOver(run.state) || run.reason === null ? null : time(run.wakeAt),
    startedAt: new Date(run.startedAt).toISOString(),
    endedAt: time(run.endedAt),
    root: run.root,
  }
}

/** @returns the run; `not_found` if there is none. */
export async function readRun(from: Pick<Transaction, 'get'>, id: string): Promise<Run> {
  const found = await from.get('runs', id)
  if (found === null) throw new WaybillError('not_found', 'There is no such run.')
  return runFrom(found)
}

/**
 * The one way to change a run while working on it: in a transaction that names the lease, so that a worker that lost
 * it changes nothing more.
 *
 * @param change gets the run as it is and the transaction, for writes that belong together; returns the run's changes. If
 *   there are none, the run's document is only read: Firestore takes about one write of a document in a second.
 * @throws WaybillError `lease_lost` when somebody else has it or it is not running any more, `cancelled` when cancelled
 */
export async function underLease(
  store: Store,
  lease: Lease,
  change: (run: Run, transaction: Transaction) => Promise<Patch> | Patch,
): Promise<Run> {
  return store.transact(async (transaction) => {
    const found = await transaction.get('runs', lease.run)
    if (found === null) throw new WaybillError('lease_lost', 'The run has been erased.')
    const run = runFrom(found)
    if (run.state === 'cancelled') throw new WaybillError('cancelled', 'The run was cancelled.')
    if (run.holder !== lease.holder || run.state !== 'running')
      throw new WaybillError('lease_lost', 'The run is not in the hands of this worker any more.')
    const patch = await change(run, transaction)
    if (
      patch.state !== undefined &&
      patch.state !== run.state &&
      !mayBecome(run.state, patch.state)
    )
      throw new WaybillError(
        'wrong_state',
        `A run that is ${run.state} cannot become ${patch.state}.`,
      )
    return Object.keys(patch).length === 0 ? run : keepRun(transaction, { ...run, ...patch })
  })
}

function stateOf(value: unknown): RunState {
  switch (value) {
    case 'queued':
    case 'running':
    case 'paused':
    case 'done':
    case 'cancelled':
    case 'failed':
      return value
    default:
      throw new WaybillError('internal', 'A run is in a state that Waybill does not know.')
  }
}

function phaseOf(value: unknown): RunPhase {
  switch (value) {
    case 'scan':
    case 'plan':
    case 'copy':
    case 'close':
      return value
    default:
      throw new WaybillError('internal', 'A run is in a phase that Waybill does not know.')
  }
}
