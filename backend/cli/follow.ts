import { hasCode } from '../../shared/errors.ts'
import { isOver } from '../../shared/job.ts'
import type { RunProgress } from '../../shared/job.ts'
import { explain } from '../../shared/words.ts'
import type { JobView } from '../run/jobs.ts'
import { failureText } from './failure.ts'
import { listenForInterrupts } from './interrupts.ts'
import { createProgressDisplay } from './progress.ts'
import type { Session } from './session.ts'
import type { Shell } from './shell.ts'
import { summarize, tallyReceipt } from './summary.ts'

const LOOK_MS = 1_000
const TRY_TO_WORK_MS = 5_000

/** Works on a person's runs, or leaves that to the process that does so already. */
interface Worker {
  /** Takes over when the other process is gone. */
  tryAgain(): Promise<void>
  isAtWork(): boolean
}

/**
 * Begins to work on runs. Where another process is at work on the store already, it does the work, and this one looks
 * on until that one ends.
 */
async function startWork({ waybill }: Session, shell: Shell): Promise<Worker> {
  let atWork = false
  let triedAt = shell.now()
  const attempt = async (): Promise<void> => {
    triedAt = shell.now()
    try {
      await waybill.work()
      atWork = true
    } catch (error) {
      if (!hasCode(error, 'store_in_use')) throw error
    }
  }
  await attempt()
  if (!atWork) shell.tell('Another Waybill process is at work on this store and does the copying.')
  return {
    isAtWork: () => atWork,
    tryAgain: async () => {
      if (!atWork && shell.now() - triedAt >= TRY_TO_WORK_MS) await attempt()
    },
  }
}

/**
 * Shows a job's newest run until it is over, waits for a person, or somebody interrupts; then says what came of it.
 *
 * @param begin what makes the run go: it is called after this process listens for interrupts
 * @param options.json prints one object at the end instead of the summary
 * @returns the exit code: 0 only when the run is done and nothing failed
 */
export async function follow(
  session: Session,
  shell: Shell,
  begin: () => Promise<JobView>,
  options: { readonly json: boolean },
): Promise<number> {
  const { waybill, user } = session
  using interrupts = listenForInterrupts(process)
  const worker = await startWork(session, shell)
  const display = createProgressDisplay({
    stream: shell.errors,
    isTerminal: shell.errors.isTTY,
    locale: shell.locale,
    clock: shell.now,
  })
  let view = await begin()
  const first = { at: shell.now(), bytes: view.run.sentBytes }
  try {
    while (!interrupts.signal.aborted && !isAtRest(view.run)) {
      display.update(view.run)
      await worker.tryAgain()
      view = await waybill.jobs.wait(user, view.id, LOOK_MS, interrupts.signal)
    }
  } finally {
    display.end()
  }
  if (!isAtRest(view.run))
    shell.tell(
      worker.isAtWork()
        ? `Stopping. To go on: the same command with --job ${view.id}, or waybill resume ${view.id}`
        : `The other process goes on with it. To look on again: waybill resume ${view.id}`,
    )
  const worked = { ms: shell.now() - first.at, bytes: view.run.sentBytes - first.bytes }
  await report(session, shell, view, { ...options, worked })
  if (!isAtRest(view.run)) return interrupts.exitCode()
  return view.run.state === 'done' && view.run.totals.failed === 0 ? 0 : 1
}

/** @returns whether nothing will happen to the run until a person does something. */
function isAtRest({ state, resumesAt }: RunProgress): boolean {
  return isOver(state) || (state === 'paused' && resumesAt === null)
}

async function report(
  { waybill, user }: Session,
  shell: Shell,
  view: JobView,
  options: {
    readonly json: boolean
    readonly worked: { readonly ms: number; readonly bytes: number }
  },
): Promise<void> {
  const { run } = view
  const isDone = run.state === 'done'
  const tally = isDone
    ? await tallyReceipt(waybill.jobs.receipt(user, view.id, run.number))
    : undefined
  if (options.json) {
    shell.print(JSON.stringify({ ...view, notCarried: tally?.notCarried ?? [] }))
    if (run.reason !== null && !isDone) {
      const { what, advice } = explain(run.reason)
      shell.tell(failureText(`${what} ${advice}`, run.reason))
    }
    return
  }
  const { locale } = shell
  const { worked } = options
  shell.print(
    ...(tally === undefined
      ? summarize(view, { locale, worked })
      : summarize(view, { locale, worked, tally })),
  )
}
