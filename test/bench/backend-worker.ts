import '../../backend/cli/heap.ts'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { readSettings } from '../../backend/config.ts'
import { createLog } from '../../backend/log.ts'
import { openWaybill } from '../../backend/main.ts'
import { openGoogleCloud } from '../../backend/main/in-google-cloud.ts'
import { faultOf } from '../../backend/main/fault-of.ts'
import { openOneMachine } from '../../backend/main/on-one-machine.ts'
import { createRandomBytes } from '../../backend/vault/random-bytes.ts'
import type { Waybill } from '../../backend/main.ts'
import { walletFiles } from '../../backend/vault/wallet-file.ts'
import { createWallet, openWallet } from '../../backend/vault/wallet.ts'
import type { JobView } from '../../backend/run/jobs.ts'
import { isOver } from '../../shared/job.ts'
import type { JobRequest, ProviderId, RunPhase, RunProgress } from '../../shared/job.ts'
import type { Asked, Told } from './backend-process.ts'

// A backend in a process of its own, worked by messages: what `backend-process.ts` starts, measures and kills. It has
// a real store file and a real wallet file.

const user = 'a-person'
const passphrase = Buffer.from('eleven otters juggle quartz umbrellas')
const lookMs = 25

/** How a run ended, and when each of its phases was first seen, in milliseconds since it was asked for. */
export interface Watched {
  readonly job: JobView
  readonly began: Readonly<Partial<Record<RunPhase, number>>>
  readonly endedAfter: number
}

/** What the backend in the other process can be asked. */
export interface BackendControl {
  /**
   * Opens wallet and store, and makes them where there are none. Nothing is worked on yet.
   *
   * @param leaseMs how long a killed worker keeps the next one waiting, where nobody can know that it is dead
   */
  open(workFactor: number | null, leaseMs: number | null): Promise<void>
  /** Keeps an account; returns the connection's id. */
  connect(provider: ProviderId, refreshToken: string): Promise<string>
  work(): Promise<void>
  /** Creates a job and returns its id. */
  create(request: JobRequest): Promise<string>
  /** Creates a job and waits until its run is over or needs somebody. */
  copy(request: JobRequest): Promise<Watched>
  /** Runs a job once more. */
  begin(job: string): Promise<void>
  /** Runs a job once more and waits likewise. */
  again(job: string): Promise<Watched>
  /** How the newest run of a job is just now. */
  progress(job: string): Promise<RunProgress>
  /** Waits for the newest run of a job. */
  settled(job: string): Promise<Watched>
  /** The receipt's texts, the summary last. */
  receipt(job: string): Promise<readonly string[]>
  close(): Promise<void>
}

const settings = readSettings(process.env)
const log = createLog({
  write: (line) => process.stderr.write(line),
  clock: Date.now,
  level: 'warn',
})
const report = (event: string, error: unknown): void => log.error(event, faultOf(error))
let opened: Waybill | null = null

function waybill(): Waybill {
  if (opened === null) throw new Error('the wallet is not open')
  return opened
}

async function watch(job: string, start = performance.now()): Promise<Watched> {
  const began: Partial<Record<RunPhase, number>> = {}
  for (;;) {
    const view = await waybill().jobs.get(user, job)
    began[view.run.phase] ??= performance.now() - start
    if (isOver(view.run.state) || view.run.state === 'paused')
      return { job: view, began, endedAfter: performance.now() - start }
    await sleep(lookMs)
  }
}

const control: BackendControl = {
  open: async (workFactor, leaseMs) => {
    const lease = leaseMs === null ? {} : { leaseMs }
    if (settings.googleCloud !== null) {
      const platform = openGoogleCloud(settings.googleCloud, { now: Date.now })
      opened = openWaybill({ settings, platform, log, ...lease })
      return
    }
    const effects = {
      files: walletFiles,
      random: (bytes: number) => Uint8Array.from(randomBytes(bytes)),
      now: Date.now,
      ...(workFactor === null ? {} : { workFactor }),
    }
    const exists = await walletFiles.read(settings.wallet).then(
      () => true,
      () => false,
    )
    if (!exists) await createWallet(settings.wallet, passphrase, effects)
    const wallet = await openWallet(settings.wallet, passphrase, effects)
    const { now } = effects
    const platform = openOneMachine(settings, wallet, { now, random: createRandomBytes(), report })
    opened = openWaybill({ settings, platform, log, ...lease })
  },
  connect: async (provider, token) => (await waybill().connect(user, provider, token)).id,
  work: async () => {
    await waybill().work()
    // There the queue calls over HTTP.
    if (settings.googleCloud !== null) await waybill().serve()
  },
  create: async (request) => (await waybill().jobs.create(user, request)).id,
  copy: async (request) => {
    const start = performance.now()
    return watch((await waybill().jobs.create(user, request)).id, start)
  },
  begin: async (job) => {
    await waybill().jobs.again(user, job)
  },
  again: async (job) => {
    const start = performance.now()
    await waybill().jobs.again(user, job)
    return watch(job, start)
  },
  progress: async (job) => (await waybill().jobs.get(user, job)).run,
  settled: (job) => watch(job),
  receipt: async (job) => {
    const texts: string[] = []
    for await (const text of waybill().jobs.receipt(user, job)) texts.push(text)
    return texts
  },
  close: () => waybill().close(),
}

const acts = new Map<string, unknown>(Object.entries(control))

function isAct(value: unknown): value is (...args: never[]) => Promise<unknown> {
  return typeof value === 'function'
}

async function answer({ id, name, args }: Asked): Promise<Told> {
  const act = acts.get(name)
  if (!isAct(act)) return { id, error: `nothing is called ${name}` }
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the other side is typed by BackendControl
    return { id, result: (await act(...(args as never[]))) ?? null }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : 'failed' }
  }
}

process.on('message', (asked: Asked) => {
  void answer(asked).then((told) => process.send?.(told))
})
process.once('disconnect', () => process.exit(0))
process.send?.({ id: 0, result: null } satisfies Told)
