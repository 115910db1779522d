import { describe, expect, it } from '@jest/globals'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { readPassphrase, requireStrongPassphrase } from '../../../backend/vault/passphrase.ts'

const invalid = expect.objectContaining({ code: 'settings_invalid' })
const cancelled = expect.objectContaining({ code: 'cancelled' })
const weak = expect.objectContaining({ code: 'passphrase_weak' })

/** A terminal that remembers what was shown and whether it echoed. */
function newTerminal() {
  const rawModes: boolean[] = []
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => rawModes.push(raw),
  })
  const output = new PassThrough()
  return { input, output, rawModes, shown: () => String(output.read() ?? '') }
}

function inFile<T>(content: string | Uint8Array, use: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'passphrase-'))
  const file = join(folder, 'passphrase')
  writeFileSync(file, content)
  return use(file).finally(() => rmSync(folder, { recursive: true }))
}

async function textFrom(passphrase: Promise<Uint8Array>): Promise<string> {
  return Buffer.from(await passphrase).toString()
}

describe('a passphrase from a file', () => {
  it.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret\n\n', 'secret\n'],
    [' secret ', ' secret '],
    ['two\nlines\n', 'two\nlines'],
    ['é\n', 'é'],
  ])('%j is %j: exactly one newline is taken off', async (content, passphrase) => {
    const read = inFile(content, (file) => textFrom(readPassphrase({ file }, newTerminal())))
    expect(await read).toBe(passphrase)
  })

  it.each([
    ['is empty', ''],
    ['holds only a newline', '\n'],
    ['is longer than 1,024 bytes', 'x'.repeat(1_025)],
    ['is very long', 'x'.repeat(200_000)],
  ])('is refused when the file %s', async (_name, content) => {
    const read = inFile(content, (file) => readPassphrase({ file }, newTerminal()))
    await expect(read).rejects.toEqual(invalid)
  })

  it('may be 1,024 bytes long', async () => {
    const content = `${'x'.repeat(1_024)}\r\n`
    const read = inFile(content, (file) => textFrom(readPassphrase({ file }, newTerminal())))
    expect(await read).toHaveLength(1_024)
  })

  it('is refused when there is no file', async () => {
    const read = readPassphrase({ file: '/nowhere/at/all' }, newTerminal())
    await expect(read).rejects.toEqual(invalid)
  })
})

describe('a passphrase from a file descriptor', () => {
  it('is read to the end, less one newline', async () => {
    const read = inFile('secret words\n', (file) =>
      textFrom(readPassphrase({ fd: openSync(file, 'r') }, newTerminal())),
    )
    expect(await read).toBe('secret words')
  })

  it('is refused when the descriptor is not open', async () => {
    await expect(readPassphrase({ fd: 987 }, newTerminal())).rejects.toEqual(invalid)
  })
})

describe('a passphrase typed at the prompt', () => {
  it('is asked for without showing it', async () => {
    const terminal = newTerminal()
    const read = textFrom(readPassphrase({ prompt: 'Passphrase: ' }, terminal))
    for (const key of ['s', 'e', 'c', 'ret', '\r']) terminal.input.write(key)
    expect(await read).toBe('secret')
    expect(terminal.shown()).toBe('Passphrase: \n')
    expect(terminal.rawModes).toEqual([true, false])
  })

  it.each([
    ['takes back a character', 'secrets\u007f\r', 'secret'],
    ['takes back a character of several bytes', 'é😀\u007f\b\u007fx\r', 'x'],
    ['starts again after Ctrl-U', 'wrong\u0015right\r', 'right'],
    ['ends at a newline', 'secret\n', 'secret'],
    ['ends at Ctrl-D', 'secret\u0004', 'secret'],
    ['ignores other control keys', 'se\tcr\u001bet\r', 'secret'],
  ])('%s', async (_name, keys, passphrase) => {
    const terminal = newTerminal()
    const read = textFrom(readPassphrase({ prompt: '' }, terminal))
    terminal.input.write(keys)
    expect(await read).toBe(passphrase)
  })

  it.each([
    ['Ctrl-C', 'sec\u0003'],
    ['Ctrl-D at the start', '\u0004'],
  ])('is cancelled by %s, with the echo back on', async (_name, keys) => {
    const terminal = newTerminal()
    const read = readPassphrase({ prompt: '' }, terminal)
    terminal.input.write(keys)
    await expect(read).rejects.toEqual(cancelled)
    expect(terminal.rawModes).toEqual([true, false])
  })

  it('is cancelled when the terminal goes away', async () => {
    const terminal = newTerminal()
    const read = readPassphrase({ prompt: '' }, terminal)
    terminal.input.write('sec')
    terminal.input.end()
    await expect(read).rejects.toEqual(cancelled)
  })

  it('leaves what was typed ahead to the next question', async () => {
    const terminal = newTerminal()
    const first = textFrom(readPassphrase({ prompt: '' }, terminal))
    terminal.input.write('one\rtwo\r')
    expect(await first).toBe('one')
    await setImmediate()
    expect(await textFrom(readPassphrase({ prompt: '' }, terminal))).toBe('two')
  })

  it('is refused when nothing was typed', async () => {
    const terminal = newTerminal()
    const read = readPassphrase({ prompt: '' }, terminal)
    terminal.input.write('\r')
    await expect(read).rejects.toEqual(invalid)
  })

  it('is refused when there is no terminal', async () => {
    const terminal = { input: new PassThrough(), output: new PassThrough() }
    await expect(readPassphrase({ prompt: '' }, terminal)).rejects.toEqual(invalid)
  })
})

describe('the strength of a passphrase', () => {
  it.each([
    'correct horse battery staple',
    'ace bad cab dot elf fig',
    'pL4x9!mQ2z#tR7vW',
    'ключи от квартиры',
  ])('%j will do', (passphrase) => {
    expect(() => requireStrongPassphrase(Buffer.from(passphrase))).not.toThrow()
  })

  it.each(['', 'short', 'fifteen letters', 'aaaaaaaaaaaaaaaaaaaa', '1212121212121212', '🔑🔑🔑🔑'])(
    '%j will not',
    (passphrase) => {
      expect(() => requireStrongPassphrase(Buffer.from(passphrase))).toThrow(weak)
    },
  )

  it('is not judged when it is not text', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, at) => 200 + at)
    expect(() => requireStrongPassphrase(bytes)).toThrow(weak)
  })
})
