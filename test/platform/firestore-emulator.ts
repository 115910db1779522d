import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from './free-port.ts'

// The component `cloud-firestore-emulator` of the Google Cloud CLI: https://cloud.google.com/firestore/docs/emulator
const jarInSdk = 'platform/cloud-firestore-emulator/cloud-firestore-emulator.jar'
const mainClass = 'com.google.cloud.datastore.emulator.firestore.CloudFirestore'
const oldestJava = 11
const startsWithinMs = 30_000

/** Where an emulator is to be had, or why nowhere. */
export type FoundEmulator =
  | { readonly kind: 'running'; readonly host: string }
  | { readonly kind: 'jar'; readonly jar: string }
  | { readonly kind: 'none'; readonly why: string }

export interface RunningEmulator {
  /** Host and port. */
  readonly host: string
  stop(): Promise<void>
}

/** @returns the emulator that `FIRESTORE_EMULATOR_HOST` names, else the one that `gcloud` on the `PATH` came with */
export function findEmulator(env: Readonly<Record<string, string | undefined>>): FoundEmulator {
  const host = env['FIRESTORE_EMULATOR_HOST']
  if (host !== undefined && host !== '') return { kind: 'running', host }
  const gcloud = (env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'gcloud'))
    .find((path) => existsSync(path))
  if (gcloud === undefined)
    return none('needs FIRESTORE_EMULATOR_HOST, or the Google Cloud CLI on the PATH')
  const jar = join(dirname(dirname(realpathSync(gcloud))), jarInSdk)
  if (!existsSync(jar))
    return none('needs the component cloud-firestore-emulator of the Google Cloud CLI')
  return javaVersion() >= oldestJava ? { kind: 'jar', jar } : none(`needs Java ${oldestJava}`)
}

/** @returns the emulator, once it answers; `stop` ends it if it was started here */
export async function startEmulator(
  found: Exclude<FoundEmulator, { readonly kind: 'none' }>,
): Promise<RunningEmulator> {
  if (found.kind === 'running') return { host: found.host, stop: async () => undefined }
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  const options = ['-Xmx512m', '-Duser.language=en', '-cp', found.jar, mainClass]
  const java = spawn('java', [...options, 'start', '--host=127.0.0.1', `--port=${port}`], {
    stdio: 'ignore',
  })
  const kill = (): void => void java.kill('SIGKILL')
  process.once('exit', kill)
  const gone = once(java, 'exit')
  const stop = async (): Promise<void> => {
    kill()
    await gone
    process.off('exit', kill)
  }
  for (let waited = 0; !(await isReady(host)); waited += 100) {
    if (waited < startsWithinMs && java.exitCode === null) await wait(100)
    else {
      await stop()
      throw new Error('the Firestore emulator did not start')
    }
  }
  return { host, stop }
}

function none(why: string): FoundEmulator {
  return { kind: 'none', why }
}

function javaVersion(): number {
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' })
  return Number(/version "(?:1\.)?(\d+)/.exec(stderr ?? '')?.[1] ?? 0)
}

async function isReady(host: string): Promise<boolean> {
  try {
    return (await fetch(`http://${host}/`)).ok
  } catch {
    // Nobody listens yet.
    return false
  }
}
