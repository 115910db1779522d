import { join } from 'node:path'
import type { JobView } from '../../backend/run/jobs.ts'
import { readReceipt } from './receipts.ts'
import type { Receipt } from './receipts.ts'
import type { Screen } from './screen.ts'
import type { Stage } from './stage.ts'
import { between, trafficOf } from './traffic.ts'
import type { Traffic } from './traffic.ts'
import type { Ended } from './waybill-command.ts'

/** One run, as the clouds saw it and as its receipt tells it. */
export interface Act {
  /** What this run was about, in a few words. */
  readonly label: string
  readonly traffic: Traffic
  readonly ms: number
  readonly receipt: Receipt
}

/** Where commands are typed. All throw what a command said that failed. */
export interface Prompt {
  /** Runs a command in front of everybody. */
  show(args: readonly string[], options?: { readonly token?: string }): Promise<void>
  /** What a command in front of everybody printed, once somebody else has waited for it. */
  shown(args: readonly string[], ended: Ended): void
  /** Runs a command that nobody sees; returns what it printed. */
  ask(args: readonly string[]): Promise<string>
  /** The only job there is, as it is now. */
  job(): Promise<JobView>
  jobId(): Promise<string>
  /** Counts what `perform` does to the clouds, and gets the receipt of the run that it made. */
  act(run: number, label: string, perform: () => Promise<void>): Promise<Act>
}

/** @param progress whether the progress of a copy may be shown on standard error */
export function createPrompt(
  { clouds, folder, waybill }: Stage,
  screen: Screen,
  progress: boolean,
): Prompt {
  const demand = (args: readonly string[], { exitCode, output, errors }: Ended): string => {
    if (exitCode === 0) return output
    throw new Error(`waybill ${args.join(' ')} ended with ${exitCode}:\n${output}${errors}`)
  }
  const ask = async (args: readonly string[]): Promise<string> =>
    demand(args, await waybill.start(args).ended)
  const job = async (): Promise<JobView> => {
    const { jobs }: { jobs: readonly JobView[] } = JSON.parse(await ask(['jobs', '--json']))
    const [only] = jobs
    if (only === undefined) throw new Error('there is no job')
    return only
  }
  let id = ''
  const jobId = async (): Promise<string> => (id === '' ? (id = (await job()).id) : id)
  const shown = (args: readonly string[], ended: Ended): void => {
    const lines = [demand(args, ended), ended.errors].join('').trimEnd()
    screen.say(...lines.split('\n'))
  }
  return {
    ask,
    job,
    jobId,
    shown,
    show: async (args, { token } = {}) => {
      screen.command(['waybill', ...args.map(quoted), ...(token ? ['--token-fd 4'] : [])].join(' '))
      const working = progress && (args[0] === 'copy' || args[0] === 'resume')
      const options = { progress: working, ...(token === undefined ? {} : { token }) }
      shown(args, await waybill.start(args, options).ended)
    },
    act: async (run, label, perform) => {
      const before = await trafficOf(clouds)
      const began = performance.now()
      await perform()
      const ms = performance.now() - began
      const traffic = between(before, await trafficOf(clouds))
      const file = join(folder, `receipt-${run}.jsonl`)
      await ask(['receipt', 'show', await jobId(), '--run', String(run), '--out', file])
      return { label, traffic, ms, receipt: await readReceipt(file) }
    },
  }
}

/** @returns an argument as a shell takes it. */
export function quoted(argument: string): string {
  return /^[\w./:=@-]+$/.test(argument)
    ? argument
    : `'${argument.replaceAll("'", String.raw`'\''`)}'`
}
