import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Remote } from '../clouds/control.ts'
import type { ForkedClouds } from '../clouds/fork.ts'
import { settingsFor } from '../clouds/settings-for.ts'
import type { BackendControl } from './backend-worker.ts'

/** A question to the other process, and its answer. */
export interface Asked {
  readonly id: number
  readonly name: string
  readonly args: readonly unknown[]
}

export type Told =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }

/** A backend in another process, which can be killed. */
export interface Backend {
  readonly pid: number
  /** Each call throws what failed there, or that the process has ended. */
  readonly control: Remote<BackendControl>
  /** Lets it end by itself. */
  end(): Promise<void>
  /** SIGKILL: nothing of it runs any more when this resolves. */
  kill(): Promise<void>
}

export interface BackendOptions {
  /** For node, such as `--cpu-prof`. */
  readonly flags?: readonly string[]
  /** Environment variables besides those of the clouds. */
  readonly variables?: Readonly<Record<string, string>>
}

/**
 * Starts a backend that knows the clouds and keeps its files in `folder`; its wallet is not open yet.
 */
export async function startBackend(
  clouds: ForkedClouds,
  folder: string,
  { flags = [], variables = {} }: BackendOptions = {},
): Promise<Backend> {
  const program = fileURLToPath(new URL('./backend-worker.ts', import.meta.url))
  const child = fork(program, [], {
    // Google's clients would look for a metadata server, which is not here.
    env: {
      METADATA_SERVER_DETECTION: 'none',
      ...process.env,
      ...settingsFor(clouds, folder),
      ...variables,
    },
    execArgv: [...flags],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const waiting = new Map<number, (told: Told) => void>()
  let asked = 0
  let gone = false
  child.on('message', (told: Told) => {
    waiting.get(told.id)?.(told)
    waiting.delete(told.id)
  })
  child.once('exit', () => {
    gone = true
    for (const [id, tell] of waiting) tell({ id, error: 'the backend has ended' })
  })

  const answerTo = async (id: number): Promise<unknown> => {
    const told = await new Promise<Told>((resolve) => waiting.set(id, resolve))
    if ('error' in told) throw new Error(told.error)
    return told.result
  }
  const nothing: Remote<BackendControl> = JSON.parse('{}')
  const control = new Proxy(nothing, {
    get(_target, name) {
      // Without this, awaiting the object would look for a promise in it.
      if (typeof name !== 'string' || name === 'then') return undefined
      return async (...args: unknown[]) => {
        if (gone) throw new Error('the backend has ended')
        const id = (asked += 1)
        const answer = answerTo(id)
        child.send({ id, name, args } satisfies Asked)
        return answer
      }
    },
  })
  await answerTo(0)
  return {
    pid: child.pid ?? 0,
    control,
    async end() {
      if (child.connected) child.disconnect()
      await ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
