import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WaybillError } from '../../shared/errors.ts'

/** @returns the lines with line ends. */
export async function* withEnds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`
}

/**
 * Writes a file that is for its owner only. Never replaces one, and leaves none behind that is not whole.
 *
 * @throws WaybillError `invalid_request` or `settings_invalid`, which say why it cannot be written
 */
export async function writeNew(path: string, lines: AsyncGenerator<string>): Promise<void> {
  const first = await lines.next()
  const rest = async function* (): AsyncGenerator<string> {
    if (first.done !== true) yield first.value
    yield* lines
  }
  // It holds names.
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  let isOurs = false
  file.once('open', () => {
    isOurs = true
  })
  try {
    await pipeline(Readable.from(rest()), file)
  } catch (cause) {
    const code = systemCodeOf(cause)
    if (code === 'EEXIST')
      throw new WaybillError(
        'invalid_request',
        'There is a file at that place already: name another one.',
        { cause },
      )
    if (isOurs) await rm(path, { force: true })
    if (code === undefined) throw cause
    throw new WaybillError('settings_invalid', `The file cannot be written: ${wordsOf(code)}.`, {
      cause,
    })
  }
}

/** @returns what `read` returns; throws `invalid_request`, which says why the file cannot be read. */
export async function reading<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (cause) {
    const code = systemCodeOf(cause)
    if (code === undefined) throw cause
    throw new WaybillError('invalid_request', `The file cannot be read: ${wordsOf(code)}.`, {
      cause,
    })
  }
}

/** @returns the system's name for what went wrong with a file, such as `ENOENT`. */
function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

function wordsOf(code: string): string {
  switch (code) {
    case 'ENOENT':
      return 'there is nothing at that place'
    case 'EACCES':
    case 'EPERM':
      return 'you are not allowed to'
    case 'EISDIR':
      return 'it is a folder'
    case 'EROFS':
      return 'the disk is read-only'
    case 'ENOSPC':
      return 'the disk is full'
    default:
      return code
  }
}
