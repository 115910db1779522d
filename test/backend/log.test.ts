import { describe, expect, it } from '@jest/globals'
import { createLog, type LogFields, type LogLevel } from '../../backend/log.ts'

function startLog(level?: LogLevel) {
  const lines: string[] = []
  const log = createLog({
    write: (line) => lines.push(line),
    clock: () => Date.UTC(2027, 0, 1),
    ...(level !== undefined && { level }),
  })
  return { log, lines, last: (): unknown => JSON.parse(lines.at(-1) ?? 'null') }
}

/** As a program without types would call it. */
const untyped = (fields: Readonly<Record<string, unknown>>): LogFields => fields

describe('the log', () => {
  it('writes an event with its known keys as one line of JSON', () => {
    const { log, lines } = startLog()
    log.info('run_ended', { run: 'r-1', code: 'store_full', bytes: 5, ok: false, phase: 'copy' })
    expect(lines).toEqual([
      '{"time":"2027-01-01T00:00:00.000Z","severity":"INFO","event":"run_ended","run":"r-1","code":"store_full","bytes":5,"ok":false,"phase":"copy"}\n',
    ])
  })

  it('does not compile with a key that it does not know', () => {
    // @ts-expect-error a name is not among the keys
    const fields: LogFields = { name: 'Taxes 2026.pdf' }
    const { log, last } = startLog()
    log.info('x', fields)
    expect(last()).toEqual({ time: expect.anything(), severity: 'INFO', event: 'x', dropped: 1 })
  })

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['an address as an id', { run: 'ada@example.com' }],
    ['a token as an id', { run: `ya29.${'a'.repeat(100)}` }],
    ['a long id', { job: 'a'.repeat(41) }],
    ['a name as a code', { code: 'Taxes' }],
    ['a path that was asked for', { route: '/v1/jobs?token=1' }],
    ['text as a number', { bytes: '12' }],
    ['no number', { ms: Number.NaN }],
    ['a line break', { run: 'a\nb' }],
    ['an object', { run: { toString: () => 'a' } }],
    ['a list', { count: [1] }],
    ['what an object inherits', { constructor: 'a' }],
    ['a place that is not in our code', { at: '/home/ada/secret.ts:1' }],
  ])('drops %s', (_name, fields) => {
    const { log, last } = startLog()
    log.warn('x', untyped({ ...fields, status: 200 }))
    expect(last()).toEqual({
      time: '2027-01-01T00:00:00.000Z',
      severity: 'WARNING',
      event: 'x',
      status: 200,
      dropped: 1,
    })
  })

  it('does not write an event that is not a word', () => {
    const { log, lines } = startLog()
    log.error('Could not open Taxes 2026.pdf')
    expect(lines.join('')).toContain('"event":"unnamed"')
    expect(lines.join('')).not.toContain('Taxes')
  })

  it.each<[LogLevel | undefined, readonly string[]]>([
    ['debug', ['DEBUG', 'INFO', 'WARNING', 'ERROR']],
    [undefined, ['INFO', 'WARNING', 'ERROR']],
    ['error', ['ERROR']],
    ['silent', []],
  ])('at level %s writes %j', (level, expected) => {
    const { log, lines } = startLog(level)
    for (const severity of ['debug', 'info', 'warn', 'error'] as const) log[severity]('x')
    expect(lines.map((line) => /"severity":"(\w+)"/.exec(line)?.[1])).toEqual(expected)
  })
})
