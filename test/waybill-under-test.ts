import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { readSettings } from '../backend/config.ts'
import type { Settings } from '../backend/config.ts'
import { createLog } from '../backend/log.ts'
import type { LogFields } from '../backend/log.ts'
import type { Tracing } from '../backend/log/tracing.ts'
import { openWaybill } from '../backend/main.ts'
import { openGoogleCloud } from '../backend/main/in-google-cloud.ts'
import { openOneMachine } from '../backend/main/on-one-machine.ts'
import type { Platform } from '../backend/main/platform.ts'
import type { Waybill } from '../backend/main.ts'
import { isOver } from '../shared/job.ts'
import type { JobRequest, Selection } from '../shared/job.ts'
import type { ReceiptLine, ReceiptSummary } from '../shared/receipt.ts'
import type { JobView } from '../backend/run/jobs.ts'
import { settingsFor } from './clouds/settings-for.ts'
import { startClouds } from './clouds/start.ts'
import type { Clouds, CloudsOptions } from './clouds/start.ts'
import type { FirestoreUnderTest } from './platform/firestore.ts'
import { dumpFirestore } from './platform/firestore-dump.ts'
import { startGoogleCloud } from './platform/google-cloud.ts'
import type { GoogleCloud } from './platform/google-cloud.ts'

/** A user of the embedded Waybill, with both accounts connected, and the simulated clouds around them. */
export interface UnderTest {
  readonly clouds: Clouds
  readonly waybill: Waybill
  readonly settings: Settings
  /** Null on one machine. */
  readonly googleCloud: GoogleCloud | null
  /** Where the API is served. */
  serve(): Promise<string>
  readonly user: string
  /** Lines that the log wrote. */
  readonly logged: readonly string[]
  /** All that the platform has been given to keep: the store's files, or Firestore's documents and the queue's tasks. */
  kept(): Promise<Buffer>
  request(selection: Selection, folder?: string): JobRequest
  /** Creates a job, waits for its first run, and fails unless it is done. */
  copy(selection: Selection, folder?: string): Promise<JobView>
  /** Runs the job again. */
  again(job: string): Promise<JobView>
  /** Waits until the newest run is over or paused. */
  settled(job: string): Promise<JobView>
  /** Path without a slash at the front → checksum (sha256) of each file in the Dropbox. */
  copied(): Promise<Readonly<Record<string, string | null>>>
  receipt(
    job: string,
    run?: number,
  ): Promise<{
    readonly lines: readonly ReceiptLine[]
    readonly summary: ReceiptSummary['summary']
  }>
  close(): Promise<void>
}

export interface UnderTestOptions extends CloudsOptions {
  readonly sliceMs?: number
  /** With it, Waybill is in Google Cloud: this Firestore, and stand-ins for queue and keys. Else it is on one machine. */
  readonly firestore?: FirestoreUnderTest
  /** Hears what the log is told. */
  readonly heard?: (event: string, fields: LogFields) => void
  readonly tracing?: Tracing
}

/** Starts clouds and a Waybill that works. */
export async function startUnderTest(options: UnderTestOptions = {}): Promise<UnderTest> {
  const clouds = await startClouds(options)
  const { firestore } = options
  const googleCloud =
    firestore === undefined
      ? null
      : await startGoogleCloud({
          // Of its own: what an earlier test has kept is sealed with keys that are gone.
          project: `${firestore.project}-${randomBytes(4).toString('hex')}`,
          firestoreHost: firestore.host(),
          issuer: clouds.issuer,
        })
  const folder = mkdtempSync(join(tmpdir(), 'waybill-'))
  const settings = readSettings({
    ...settingsFor(
      {
        drive: {
          ...clouds.drive.account,
          url: clouds.drive.url,
          tokenUrl: `${clouds.drive.url}/token`,
        },
        dropbox: {
          ...clouds.dropbox.account,
          url: clouds.dropbox.url,
          tokenUrl: `${clouds.dropbox.url}/oauth2/token`,
        },
        box: { ...clouds.box.account, url: clouds.box.url },
        microsoft: { ...clouds.microsoft.account, url: clouds.microsoft.url },
        issuer: clouds.issuer,
      },
      folder,
    ),
    ...googleCloud?.variables,
  })
  const logged: string[] = []
  const { sliceMs = 60_000, heard, tracing } = options
  const log = createLog({
    write: (line) => logged.push(line),
    clock: Date.now,
    level: 'debug',
    ...(heard === undefined ? {} : { heard }),
    ...(tracing === undefined ? {} : { trace: tracing.current }),
  })
  const platform = openPlatform(settings, firestore)
  const waybill = openWaybill({
    settings,
    platform,
    log,
    sliceMs,
    ...(tracing === undefined ? {} : { tracing }),
  })
  const user = 'a-person'
  const source = await waybill.connect(user, 'google-drive', clouds.drive.account.refreshToken)
  const destination = await waybill.connect(user, 'dropbox', clouds.dropbox.account.refreshToken)
  await waybill.work()
  // Where the queue calls over HTTP.
  const served = googleCloud === null ? null : await waybill.serve()

  const settled = async (job: string): Promise<JobView> => {
    for (;;) {
      const view = await waybill.jobs.wait(user, job, 1000)
      if (isOver(view.run.state) || view.run.state === 'paused') return view
    }
  }
  const done = async (job: string): Promise<JobView> => {
    const view = await settled(job)
    if (view.run.state !== 'done')
      throw new Error(
        `the run is ${view.run.state}: ${view.run.reason ?? ''}\n${logged.slice(-5).join('')}`,
      )
    return view
  }
  const request = (selection: Selection, to = '/Backup'): JobRequest => ({
    kind: 'copy',
    source: { connection: source.id, selection },
    destination: { connection: destination.id, folder: to },
  })
  return {
    clouds,
    waybill,
    settings,
    googleCloud,
    serve: async () => served ?? waybill.serve(),
    user,
    logged,
    kept: async () => Buffer.concat(await keptBy(settings, googleCloud, firestore)),
    request,
    settled,
    copy: async (selection, to) =>
      done((await waybill.jobs.create(user, request(selection, to))).id),
    again: async (job) => {
      await waybill.jobs.again(user, job)
      return done(job)
    },
    copied: async () => {
      const files = Object.entries(await clouds.dropbox.dump()).filter(
        ([, { kind }]) => kind === 'file',
      )
      return Object.fromEntries(files.map(([path, { sha256 }]) => [path, sha256]))
    },
    receipt: async (job, run) => {
      const texts: string[] = []
      for await (const text of waybill.jobs.receipt(user, job, run)) texts.push(text)
      const last: ReceiptSummary = JSON.parse(texts.pop() ?? '{}')
      return { lines: texts.map((text): ReceiptLine => JSON.parse(text)), summary: last.summary }
    },
    close: async () => {
      await waybill.close()
      await googleCloud?.close()
      await clouds.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function keptBy(
  settings: Settings,
  googleCloud: GoogleCloud | null,
  firestore?: FirestoreUnderTest,
): Promise<readonly Buffer[]> {
  if (settings.googleCloud === null || googleCloud === null || firestore === undefined) {
    const folder = dirname(settings.store)
    return readdirSync(folder).map((name) => readFileSync(join(folder, name)))
  }
  const { project, database, keysDatabase } = settings.googleCloud
  const databases = [database, keysDatabase].map((name) => `projects/${project}/databases/${name}`)
  const dumps = databases.map(async (name) => dumpFirestore(firestore.host(), name))
  const tasks = googleCloud.tasks
    .queue(googleCloud.queue)
    .taken.flatMap(({ name, request }) => [
      Buffer.from(JSON.stringify([name, request.url, request.headers, request.oidc])),
      Buffer.from(request.body),
    ])
  return [...(await Promise.all(dumps)).flat(), ...tasks]
}

function openPlatform(settings: Settings, firestore?: FirestoreUnderTest): Platform {
  const now = Date.now
  if (settings.googleCloud !== null && firestore !== undefined) {
    // The client takes the emulator from the environment when it is made.
    const before = process.env['FIRESTORE_EMULATOR_HOST']
    process.env['FIRESTORE_EMULATOR_HOST'] = firestore.host()
    const opened = openGoogleCloud(settings.googleCloud, { now })
    if (before === undefined) delete process.env['FIRESTORE_EMULATOR_HOST']
    else process.env['FIRESTORE_EMULATOR_HOST'] = before
    return opened
  }
  const key = createSecretKey(randomBytes(32))
  const kek = { id: 'test', key, created: '', state: 'active' as const }
  const { privateKey } = generateKeyPairSync('ed25519')
  return openOneMachine(
    settings,
    { keks: [kek], signKeys: [{ id: 'test', key: privateKey, created: '' }] },
    { now, random: randomBytes, report: () => undefined },
  )
}
