import type { ReadStream, WriteStream } from 'node:tty'
import { localeOf } from './amounts.ts'

/** What a command has of the world around it. */
export interface Shell {
  readonly input: ReadStream
  /** For results, so that they can be piped. */
  readonly output: WriteStream
  /** For progress, questions and what went wrong. */
  readonly errors: WriteStream
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly locale: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Writes lines of a result. */
  print(...lines: readonly string[]): void
  /** Tells the person something that is not the result. */
  tell(...lines: readonly string[]): void
  /** How the process will end: 0 done, 1 failed, 2 used wrongly, 128 and a signal's number when interrupted. */
  leaveWith(exitCode: number): void
}

/** @returns the shell of a process, usually this one. */
export function createShell(process: NodeJS.Process): Shell {
  const { stdin: input, stdout: output, stderr: errors } = process
  return {
    input,
    output,
    errors,
    environment: process.env,
    locale: localeOf(),
    now: Date.now,
    print: (...lines) => void output.write(lines.map((line) => `${line}\n`).join('')),
    tell: (...lines) => void errors.write(lines.map((line) => `${line}\n`).join('')),
    leaveWith: (exitCode) => {
      process.exitCode = exitCode
    },
  }
}
