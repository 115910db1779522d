import { constants } from 'node:os'

const signals = ['SIGINT', 'SIGTERM'] as const

/** Whether somebody wants this process to end. */
export interface Interrupts {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal
  /** How a process ends that was interrupted: 128 and the signal's number, as shells count. */
  exitCode(): number
  [Symbol.dispose](): void
}

/**
 * Lets a command end gracefully: the first signal asks it to, the second ends the process at once (which loses nothing:
 * whatever was recorded stays, and whatever was not is found again).
 */
export function listenForInterrupts(process: NodeJS.Process): Interrupts {
  const first = new AbortController()
  let exitCode = 0
  const listener = (signal: (typeof signals)[number]): void => {
    exitCode = 128 + constants.signals[signal]
    if (first.signal.aborted) process.exit(exitCode)
    first.abort()
  }
  for (const signal of signals) process.on(signal, listener)
  return {
    signal: first.signal,
    exitCode: () => exitCode,
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, listener)
    },
  }
}
