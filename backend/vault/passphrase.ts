import { isUtf8 } from 'node:buffer'
import { on } from 'node:events'
import { createReadStream } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { isatty } from 'node:tty'
import { WaybillError } from '../../shared/errors.ts'

const MAX_BYTES = 1_024
const MIN_CHARACTERS = 16
const MIN_DIFFERENT_CHARACTERS = 6
const CTRL_C = 0x03
const CTRL_D = 0x04
const BACKSPACE = 0x08
const NEWLINE = 0x0a
const RETURN = 0x0d
const CTRL_U = 0x15
const SPACE = 0x20
const DELETE = 0x7f

/**
 * Where a passphrase may come from: an inherited file descriptor, a file, or a prompt (the text to show) on the
 * terminal. Not the command line and not the environment, which other processes and crash reports can read.
 */
export type PassphraseSource =
  | { readonly fd: number }
  | { readonly file: string }
  | { readonly prompt: string }

/** The terminal to prompt on, such as `{ input: process.stdin, output: process.stderr }`. */
export interface Terminal {
  readonly input: Readable & {
    readonly isTTY?: boolean
    setRawMode?(raw: boolean): unknown
  }
  readonly output: Writable
}

/**
 * Reads a passphrase. A file or file descriptor is read to its end and exactly one newline is taken off; what is
 * typed at the prompt is not shown.
 *
 * @returns the passphrase as bytes, which the caller overwrites when done; it was never a string.
 * @throws WaybillError `settings_invalid` when the source cannot be read, is empty, longer than 1,024 bytes, or a
 * terminal is missing or misused; `cancelled` when the person pressed Ctrl-C or Ctrl-D.
 */
export async function readPassphrase(
  source: PassphraseSource,
  terminal: Terminal,
): Promise<Uint8Array> {
  const passphrase =
    'prompt' in source ? await promptFor(source.prompt, terminal) : await readToEnd(source)
  if (passphrase.length === 0) throw new WaybillError('settings_invalid', 'The passphrase is empty')
  return passphrase
}

/**
 * Lets a passphrase pass that is worth stretching. Six random words always pass.
 *
 * @throws WaybillError `passphrase_weak`, with what is asked for.
 */
export function requireStrongPassphrase(passphrase: Uint8Array): void {
  const characters = isUtf8(passphrase) ? Array.from(Buffer.from(passphrase).toString()) : []
  if (characters.length < MIN_CHARACTERS || new Set(characters).size < MIN_DIFFERENT_CHARACTERS) {
    throw new WaybillError(
      'passphrase_weak',
      `A passphrase needs at least ${MIN_CHARACTERS} characters, ${MIN_DIFFERENT_CHARACTERS} of them different; six random words are a good choice`,
    )
  }
}

async function readToEnd(source: { readonly fd: number } | { readonly file: string }) {
  const collected = Buffer.alloc(MAX_BYTES + 3)
  let length = 0
  try {
    if ('fd' in source && isatty(source.fd)) throw new Error('a terminal would show what is typed')
    const stream =
      'fd' in source ? createReadStream('', { fd: source.fd }) : createReadStream(source.file)
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.copy(collected, length)
      chunk.fill(0)
      if (length === collected.length) break
    }
    if (collected[length - 1] === NEWLINE) length -= collected[length - 2] === RETURN ? 2 : 1
    if (length > MAX_BYTES) throw new Error('too long')
    return Uint8Array.from(collected.subarray(0, length))
  } catch (cause) {
    throw new WaybillError('settings_invalid', 'The passphrase cannot be read from there', {
      cause,
    })
  } finally {
    collected.fill(0)
  }
}

async function promptFor(text: string, { input, output }: Terminal): Promise<Uint8Array> {
  if (input.isTTY !== true || input.setRawMode === undefined) {
    throw new WaybillError(
      'settings_invalid',
      'There is no terminal to ask for the passphrase: name a file or a file descriptor',
    )
  }
  const typed = Buffer.alloc(MAX_BYTES)
  let length = 0
  output.write(text)
  input.setRawMode(true)
  try {
    const chunks = on(input, 'data', { close: ['end', 'close'] })
    // A stream that was paused, as after an earlier question, does not start by being listened to.
    input.resume()
    for await (const [chunk] of chunks) {
      const keys: Uint8Array = chunk
      for (const [at, key] of keys.entries()) {
        if (key === NEWLINE || key === RETURN || (key === CTRL_D && length > 0)) {
          input.pause()
          // What was typed ahead answers the next question.
          if (at + 1 < keys.length) input.unshift(Uint8Array.from(keys.subarray(at + 1)))
          return Uint8Array.from(typed.subarray(0, length))
        }
        if (key === CTRL_C || key === CTRL_D) throw cancelled()
        if (key === CTRL_U) length = 0
        else if (key === BACKSPACE || key === DELETE) length = withoutLastCharacter(typed, length)
        else if (key >= SPACE && length < MAX_BYTES) typed[length++] = key
      }
      keys.fill(0)
    }
    throw cancelled()
  } finally {
    typed.fill(0)
    input.setRawMode(false)
    input.pause()
    output.write('\n')
  }
}

/** UTF-8 writes the bytes of a character after its first as 10xxxxxx. */
function withoutLastCharacter(typed: Buffer, length: number): number {
  let last = length - 1
  while (last > 0 && ((typed[last] ?? 0) & 0xc0) === 0x80) last -= 1
  return Math.max(last, 0)
}

function cancelled(): WaybillError {
  return new WaybillError('cancelled', 'No passphrase was given')
}
