import type { Command } from 'commander'
import { isOver } from '../../shared/job.ts'
import type { RunState, Selection } from '../../shared/job.ts'
import type { JobView } from '../run/jobs.ts'
import { createAmounts } from './amounts.ts'
import type { Amounts } from './amounts.ts'
import { printable } from './printable.ts'
import { describe } from './progress.ts'
import { scheduleWords } from './schedule-flags.ts'
import { openSession } from './session.ts'
import type { Session, SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'
import { createSpeed } from './speed.ts'
import { summarize } from './summary.ts'
import { table } from './table.ts'

const PAGE = 100

/** Adds `waybill jobs` and `waybill job`: what there is, and how it is doing. */
export function addJobs(program: Command, shell: Shell): void {
  program
    .command('jobs')
    .description('list the jobs and how they are doing')
    .option('--json', 'print JSON')
    .action(async ({ json }: { readonly json?: true }, command: Command) => {
      await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
      const jobs = await allJobs(session)
      if (json) {
        shell.print(JSON.stringify({ jobs }))
        return
      }
      if (jobs.length === 0) shell.tell('There are no jobs yet: begin with `waybill copy`.')
      shell.print(...table(jobs.map((job) => rowOf(job, shell))))
    })

  program
    .command('job')
    .description('show one job')
    .argument('<job>', 'the id of the job')
    .option('--json', 'print JSON')
    .action(async (id: string, { json }: { readonly json?: true }, command: Command) => {
      await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
      const job = await session.waybill.jobs.get(session.user, id)
      if (json) shell.print(JSON.stringify(job))
      else shell.print(...pageOf(job, shell))
    })
}

async function allJobs({ waybill, user }: Session): Promise<readonly JobView[]> {
  const all: JobView[] = []
  let after: string | null = null
  do {
    const page: { readonly jobs: readonly JobView[]; readonly next: string | null } =
      await waybill.jobs.list(user, after === null ? { limit: PAGE } : { limit: PAGE, after })
    all.push(...page.jobs)
    after = page.next
  } while (after !== null)
  return all
}

const stateWords: Readonly<Record<RunState, string>> = {
  queued: 'waiting',
  running: 'at work',
  paused: 'paused',
  done: 'done',
  cancelled: 'cancelled',
  failed: 'stopped',
}

function rowOf(
  { id, createdAt, request, nextRunAt, run }: JobView,
  { locale, now }: Shell,
): readonly string[] {
  const amounts = createAmounts(locale)
  const { totals } = run
  const unchanged = run.unchanged === 0 ? '' : `, ${amounts.count(run.unchanged)} unchanged`
  const trouble = totals.failed === 0 ? '' : `, ${amounts.count(totals.failed)} failed`
  return [
    id,
    amounts.date(Date.parse(createdAt)),
    `${selectionWords(request.source.selection)} to ${printable(request.destination.folder)}`,
    stateWords[run.state],
    `${amounts.count(totals.copied)} copied, ${amounts.bytes(totals.bytes)}${unchanged}${trouble}`,
    nextRunAt === null ? '' : `next ${amounts.moment(Date.parse(nextRunAt), now())}`,
  ]
}

function pageOf(job: JobView, { locale, now }: Shell): readonly string[] {
  const { createdAt, request, run } = job
  const amounts = createAmounts(locale)
  const isWaiting = run.state === 'queued' || run.state === 'running'
  const speed = createSpeed()(run, now())
  return [
    `${request.kind === 'backup' ? 'Backs up' : 'Copies'} ${selectionWords(request.source.selection)} to ${printable(request.destination.folder)}. Created ${amounts.date(Date.parse(createdAt))}.`,
    ...scheduleLine(job, amounts),
    `Run ${amounts.count(run.number)}, begun ${amounts.date(Date.parse(run.startedAt))}${isOver(run.state) ? '' : ', not over yet'}.`,
    ...(isWaiting ? [`${describe(run, speed, amounts, now())}.`] : []),
    '',
    ...summarize(job, { locale }),
    ...(isWaiting ? ['', `To look on, or go on with it: waybill resume ${job.id}`] : []),
  ]
}

function scheduleLine({ request, nextRunAt }: JobView, amounts: Amounts): readonly string[] {
  const { schedule } = request
  if (schedule === undefined || nextRunAt === null) return []
  return [`Runs ${scheduleWords(schedule)}, next on ${amounts.date(Date.parse(nextRunAt))}.`]
}

function selectionWords(selection: Selection): string {
  switch (selection.kind) {
    case 'drive':
      return selection.sharedDrives ? 'the whole Drive with shared drives' : 'the whole Drive'
    case 'folder':
      return 'a folder'
    case 'items':
      return selection.ids.length === 1 ? 'one item' : `${selection.ids.length} items`
    default:
      return selection satisfies never
  }
}
