import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** How a command ended. */
export interface Ended {
  /** Null when it was killed. */
  readonly exitCode: number | null
  readonly output: string
  /** What it said beside its result, unless that went to standard error. */
  readonly errors: string
}

/** A command under way. */
export interface Running {
  readonly ended: Promise<Ended>
  /** SIGKILL: it has no chance to tidy up. */
  kill(): void
}

/** Runs Waybill's command line in a process of its own, as a person would. */
export interface WaybillCommand {
  /**
   * @param options.token goes through a file descriptor, too
   * @param options.progress lets it write what it says beside its result to this process's standard error
   */
  start(
    args: readonly string[],
    options?: { readonly token?: string; readonly progress?: boolean },
  ): Running
  /** Kills what still runs. */
  close(): Promise<void>
}

const program = fileURLToPath(new URL('../../backend/cli.ts', import.meta.url))
const passphraseFd = 3
const tokenFd = 4

/**
 * @param options.settings environment variables; Waybill's own are taken from here only
 * @param options.folder where the command is started: a `.env` of this checkout must not matter
 * @param options.passphrase goes through a file descriptor, where no other process can read it
 */
export function createWaybillCommand(options: {
  readonly settings: Readonly<Record<string, string>>
  readonly folder: string
  readonly passphrase: string
}): WaybillCommand {
  const { settings, folder, passphrase } = options
  const own = /^(?:WAYBILL|GOOGLE|DROPBOX)_|^(?:HOST|PORT|LOG_LEVEL)$/
  const inherited = Object.entries(process.env).filter(([name]) => !own.test(name))
  const running = new Set<Running>()
  return {
    start: (args, { token, progress = false } = {}) => {
      const all = ['--passphrase-fd', String(passphraseFd), ...args]
      if (token !== undefined) all.push('--token-fd', String(tokenFd))
      const child = spawn(process.execPath, [program, ...all], {
        cwd: folder,
        env: { ...Object.fromEntries(inherited), ...settings },
        stdio: ['ignore', 'pipe', progress ? 'inherit' : 'pipe', 'pipe', 'pipe'],
      })
      const [, , , forPassphrase, forToken] = child.stdio
      send(forPassphrase, passphrase)
      send(forToken, token ?? '')
      const finish = async (): Promise<Ended> => {
        const [[exitCode], output, errors] = await Promise.all([
          once(child, 'close'),
          child.stdout === null ? '' : text(child.stdout),
          child.stderr === null ? '' : text(child.stderr),
        ])
        return { exitCode: typeof exitCode === 'number' ? exitCode : null, output, errors }
      }
      const ended = finish().finally(() => running.delete(one))
      const one: Running = { ended, kill: () => void child.kill('SIGKILL') }
      running.add(one)
      return one
    },
    close: async () => {
      const all = [...running]
      for (const one of all) one.kill()
      await Promise.allSettled(all.map(async ({ ended }) => ended))
    },
  }
}

function send(pipe: unknown, secret: string): void {
  if (!(pipe instanceof Writable)) throw new Error('the command has no such file descriptor')
  // A command that needs no passphrase ends without reading it.
  pipe.on('error', () => undefined)
  pipe.end(secret)
}
