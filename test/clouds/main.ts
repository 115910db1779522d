import { Command } from 'commander'
import { cloudControl, startControl } from './control.ts'
import type { FaultMenu } from './faults.ts'
import { startClouds } from './start.ts'

/** What `main.ts --json` prints, in one line. */
export interface CloudsReady {
  readonly drive: CloudReady
  readonly dropbox: CloudReady
  readonly issuer: { readonly url: string; readonly jwksUrl: string }
  /** Where `remoteControl` reaches both clouds. */
  readonly controlUrl: string
}

/** What a client needs to use one simulated cloud. */
export interface CloudReady {
  readonly url: string
  readonly tokenUrl: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly clientId: string
  readonly clientSecret: string
}

interface Flags {
  readonly port: number
  readonly dropboxPort: number
  readonly seedFolder?: string
  readonly seed?: string
  readonly latency: number
  readonly faults?: string
  readonly rate: number
  readonly json?: true
}

const program = new Command('clouds')
  .description('Simulated clouds on 127.0.0.1, until interrupted')
  .option('--port <port>', 'port of Drive; 0 is any free one', Number, 0)
  .option('--dropbox-port <port>', 'port of Dropbox; 0 is any free one', Number, 0)
  .option('--seed-folder <folder>', 'a real folder whose files are in the Drive')
  .option('--seed <seed>', 'ids and synthetic contents depend on it')
  .option('--latency <ms>', 'milliseconds that every call waits', Number, 0)
  .option('--faults <seed>', 'inject transient faults by this seed')
  .option('--rate <share>', 'the share of calls with a fault, 0..1', Number, 0.02)
  .option('--json', 'print one JSON object in one line')
  .parse()

const flags = program.opts<Flags>()
const menu: FaultMenu | undefined =
  flags.faults === undefined ? undefined : { seed: flags.faults, rate: flags.rate }
const shared = {
  latencyMs: flags.latency,
  ...(flags.seed === undefined ? {} : { seed: flags.seed }),
  ...(menu === undefined ? {} : { faults: menu }),
}
const clouds = await startClouds({
  drive: { ...shared, port: flags.port },
  dropbox: { ...shared, port: flags.dropboxPort },
  ...(flags.seedFolder === undefined ? {} : { seedFolder: flags.seedFolder }),
})
const { drive, dropbox, issuer } = clouds
const control = await startControl({
  drive: { ...drive, ...cloudControl(drive) },
  dropbox: { ...dropbox, ...cloudControl(dropbox) },
})
const ready: CloudsReady = {
  drive: { url: drive.url, tokenUrl: `${drive.url}${drive.tokens.route.path}`, ...drive.account },
  dropbox: {
    url: dropbox.url,
    tokenUrl: `${dropbox.url}${dropbox.tokens.route.path}`,
    ...dropbox.account,
  },
  issuer: { url: issuer.url, jwksUrl: issuer.jwksUrl },
  controlUrl: control.url,
}
process.stdout.write(flags.json === true ? `${JSON.stringify(ready)}\n` : described(ready))

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void closeAll().then(() => process.exit(0)))
// A parent that forked this process and is gone wants no clouds any more.
process.once('disconnect', () => void closeAll().then(() => process.exit(0)))

async function closeAll(): Promise<void> {
  await Promise.all([control.close(), clouds.close()])
}

function described(all: CloudsReady): string {
  const cloud = (name: string, one: CloudReady): readonly string[] => [
    `${name.padEnd(15)}${one.url}`,
    `  access token   ${one.accessToken}`,
    `  refresh token  ${one.refreshToken}`,
    `  client id      ${one.clientId}`,
    `  client secret  ${one.clientSecret}`,
    `  token endpoint ${one.tokenUrl}`,
  ]
  return [
    ...cloud('Google Drive', all.drive),
    ...cloud('Dropbox', all.dropbox),
    `OpenID issuer  ${all.issuer.url}`,
    '',
  ].join('\n')
}
