import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { walletFiles } from '../../../backend/vault/wallet-file.ts'
import { createWallet } from '../../../backend/vault/wallet.ts'
import type { ForkedClouds } from '../../clouds/fork.ts'

const program = fileURLToPath(new URL('../../../backend/cli.ts', import.meta.url))

/** What a command did, once it is over. */
interface Ended {
  readonly exitCode: number | null
  readonly output: string
  readonly errors: string
}

interface Running {
  readonly ended: Promise<Ended>
  kill(signal: NodeJS.Signals): void
  /** Resolves when what was written to standard error holds `text`. */
  says(text: string): Promise<void>
}

/** What a command reads from standard input, and from file descriptor 3. */
interface Given {
  readonly stdin?: string
  readonly fd3?: string
}

/** The command line as a child process, in a folder of its own. */
export interface Home {
  readonly folder: string
  start(args: readonly string[], given?: Given): Running
  /** Starts it and waits for its end. */
  run(args: readonly string[], given?: Given): Promise<Ended>
  remove(): Promise<void>
}

const passphrase = 'six random words are a good choice'

/** @param clouds what its settings point at; without any, it has no settings */
export async function createHome(clouds?: ForkedClouds): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-cli-'))
  if (clouds !== undefined) {
    await createWallet(join(folder, 'wallet.age'), Buffer.from(passphrase), {
      files: walletFiles,
      random: randomBytes,
      now: Date.now,
      workFactor: 4,
    })
    await writeFile(join(folder, 'passphrase'), `${passphrase}\n`)
    await writeFile(join(folder, '.env'), settingsFor(clouds))
  }
  const commands = new Set<Running>()
  const start = (args: readonly string[], given: Given = {}): Running => {
    const command = spawnIn(folder, args, given)
    commands.add(command)
    return command
  }
  return {
    folder,
    start,
    run: async (args, given) => start(args, given).ended,
    remove: async () => {
      // A test that fails may leave some behind.
      for (const command of commands) command.kill('SIGKILL')
      await Promise.all([...commands].map(async ({ ended }) => ended))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Connects both accounts. */
export async function connectBoth(home: Home, clouds: ForkedClouds): Promise<readonly Ended[]> {
  const connect = async (provider: string, token: string): Promise<Ended> =>
    home.run(['connect', provider, '--token-fd', '3', '--passphrase-file', 'passphrase'], {
      fd3: token,
    })
  return [
    await connect('google-drive', clouds.drive.refreshToken),
    await connect('dropbox', clouds.dropbox.refreshToken),
  ]
}

function spawnIn(
  folder: string,
  args: readonly string[],
  { stdin = '', fd3 = '' }: Given,
): Running {
  const { PATH } = process.env
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { PATH, LANG: 'en_US.UTF-8', METADATA_SERVER_DETECTION: 'none' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  let heard = (): void => undefined
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
    heard()
  })
  feed(child.stdio[0], stdin)
  feed(child.stdio[3], fd3)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, output, errors }))
  })
  return {
    ended,
    kill: (signal) => void child.kill(signal),
    says: async (text) => {
      const said = new Promise<void>((resolve) => {
        heard = () => {
          if (errors.includes(text)) resolve()
        }
        heard()
      })
      await Promise.race([said, ended])
      if (!errors.includes(text)) throw new Error(`it did not say “${text}” but: ${errors}`)
    },
  }
}

function feed(pipe: Readable | Writable | null | undefined, text: string): void {
  if (!(pipe instanceof Writable)) throw new Error('the command line has no such pipe')
  // A command that takes nothing from there may be gone before it is written.
  pipe.on('error', () => undefined)
  pipe.end(text)
}

function settingsFor({ drive, dropbox }: ForkedClouds): string {
  const settings = {
    GOOGLE_CLIENT_ID: drive.clientId,
    GOOGLE_CLIENT_SECRET: drive.clientSecret,
    GOOGLE_API_URL: drive.url,
    GOOGLE_TOKEN_URL: drive.tokenUrl,
    DROPBOX_APP_KEY: dropbox.clientId,
    DROPBOX_APP_SECRET: dropbox.clientSecret,
    DROPBOX_API_URL: dropbox.url,
    DROPBOX_CONTENT_URL: dropbox.url,
    DROPBOX_TOKEN_URL: dropbox.tokenUrl,
    PORT: '0',
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
