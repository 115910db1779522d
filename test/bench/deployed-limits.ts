import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { settingsOf } from '../platform/task-settings.ts'
import type { TaskSettings } from '../platform/task-settings.ts'

const seconds = z.string().regex(/^\d+s$/)

const queueFlags = z.object({
  '--max-concurrent-dispatches': z.int(),
  '--max-dispatches-per-second': z.int(),
  '--max-attempts': z.int(),
  '--min-backoff': seconds,
  '--max-backoff': seconds,
  '--max-doublings': z.int(),
})

const runnerFlags = z.object({ '--concurrency': z.int(), '--max-instances': z.int() })

/** What is deployed that bounds how many slices there are at once. */
export interface DeployedLimits {
  readonly queue: TaskSettings
  /** Of the runner. */
  readonly instances: number
  readonly slicesPerInstance: number
}

/** Reads the files that the deployment passes to gcloud. */
export function readDeployedLimits(): DeployedLimits {
  const queue = queueFlags.parse(flags('queue.yaml'))
  const runner = runnerFlags.parse(flags('runner.yaml'))
  return {
    queue: settingsOf({
      rateLimits: {
        maxDispatchesPerSecond: queue['--max-dispatches-per-second'],
        maxConcurrentDispatches: queue['--max-concurrent-dispatches'],
      },
      retryConfig: {
        maxAttempts: queue['--max-attempts'],
        minBackoff: { seconds: Number.parseInt(queue['--min-backoff'], 10) },
        maxBackoff: { seconds: Number.parseInt(queue['--max-backoff'], 10) },
        maxDoublings: queue['--max-doublings'],
      },
    }),
    instances: runner['--max-instances'],
    slicesPerInstance: runner['--concurrency'],
  }
}

function flags(name: string): unknown {
  const file = new URL(`../../backend/deploy/${name}`, import.meta.url)
  return parse(readFileSync(file, 'utf8'))
}
