import { Command, InvalidArgumentError } from 'commander'
import type { FaultMenu } from './faults.ts'
import { controlOf, described, readyOf } from './ready.ts'
import { startClouds } from './start.ts'
import type { Clouds, CloudsOptions } from './start.ts'

interface Flags {
  readonly port: number
  readonly dropboxPort: number
  readonly boxPort: number
  readonly microsoftPort: number
  readonly redirectUri: readonly string[]
  readonly seedFolder?: string
  readonly seed?: string
  readonly latency: number
  readonly faults?: string
  readonly rate: number
  readonly json?: true
}

/** Where a Waybill on this machine takes visitors of the consent pages back. */
const usualCallbacks = ['http://127.0.0.1:8080', 'http://localhost:8080'].flatMap((origin) =>
  ['google', 'dropbox', 'box', 'microsoft'].map((name) => `${origin}/oauth/${name}/callback`),
)

const program = new Command('clouds')
  .description('Simulated clouds on 127.0.0.1, until interrupted')
  .option('--port <port>', 'port of Google; 0 is any free one', port, 0)
  .option('--dropbox-port <port>', 'port of Dropbox; 0 is any free one', port, 0)
  .option('--box-port <port>', 'port of Box; 0 is any free one', port, 0)
  .option('--microsoft-port <port>', 'port of Microsoft; 0 is any free one', port, 0)
  .option('--redirect-uri <uri...>', 'where consent pages may lead back to', usualCallbacks)
  .option('--seed-folder <folder>', 'a real folder whose files are in the Drive')
  .option('--seed <seed>', 'ids and synthetic contents depend on it')
  .option('--latency <ms>', 'milliseconds that every call waits', between(0, 3_600_000), 0)
  .option('--faults <seed>', 'inject transient faults by this seed')
  .option('--rate <share>', 'the share of calls with a fault, 0..1', between(0, 1), 0.02)
  .option('--json', 'print one JSON object in one line')
  .allowExcessArguments(false)
  .parse()

const flags = program.opts<Flags>()
const clouds = await started(optionsOf(flags))
addPeople(clouds)
const control = await controlOf(clouds)
const ready = await readyOf(clouds, control.url)
process.stdout.write(flags.json === true ? `${JSON.stringify(ready)}\n` : described(ready))

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void closeAll().then(() => process.exit(0)))
// A parent that forked this process and is gone wants no clouds any more.
process.once('disconnect', () => void closeAll().then(() => process.exit(0)))

async function closeAll(): Promise<void> {
  await Promise.all([control.close(), clouds.close()])
}

function optionsOf(given: Flags): CloudsOptions {
  const menu: FaultMenu | undefined =
    given.faults === undefined ? undefined : { seed: given.faults, rate: given.rate }
  const shared = {
    latencyMs: given.latency,
    redirectUris: given.redirectUri,
    ...(given.seed === undefined ? {} : { seed: given.seed }),
    ...(menu === undefined ? {} : { faults: menu }),
  }
  return {
    drive: { ...shared, port: given.port },
    dropbox: { ...shared, port: given.dropboxPort },
    box: { ...shared, port: given.boxPort },
    microsoft: { ...shared, port: given.microsoftPort },
    ...(given.seedFolder === undefined ? {} : { seedFolder: given.seedFolder }),
  }
}

/** Ends the program with one line when the machine does not allow what the options ask for. */
async function started(options: CloudsOptions): Promise<Clouds> {
  try {
    return await startClouds(options)
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    return program.error(`error: the clouds cannot start: ${error.message}`)
  }
}

/** So that there is somebody to choose on the consent pages. */
function addPeople({ drive, dropbox, box, microsoft }: Clouds): void {
  drive.oauth.addPerson({
    id: '100000000000000000002',
    email: 'admin@example.com',
    name: 'An Administrator',
    organization: 'example.com',
    isAdmin: true,
  })
  drive.oauth.addPerson({
    id: '100000000000000000003',
    email: 'private@gmail.example',
    name: 'A Private Person',
  })
  dropbox.oauth.addPerson({ id: 'dbid:other', email: 'other@dropbox.example', name: 'Other Owner' })
  box.oauth.addPerson({ id: '11446499', email: 'other@box.example', name: 'Other Owner' })
  microsoft.oauth.addPerson({
    id: '00000000-0000-0000-6f3b-4bd19d5c1f2a',
    email: 'private@outlook.example',
    name: 'A Private Person',
  })
}

function port(text: string): number {
  return between(0, 65_535)(text)
}

/** Reads a number. What it throws is one line for the person. */
function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`Give a number from ${least} to ${most}.`)
    return value
  }
}
