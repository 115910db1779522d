import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createHome } from './run-waybill.ts'
import type { Home } from './run-waybill.ts'

describe('the command line, used wrongly', () => {
  let home: Home

  beforeAll(async () => {
    home = await createHome()
  })

  afterAll(async () => home.remove())

  it.each([
    ['an unknown command', ['coppy'], 'unknown command'],
    ['an unknown flag', ['copy', '--form', 'drive'], 'Did you mean --from?'],
    ['a missing argument', ['resume'], 'missing required argument'],
    ['an unknown provider', ['connect', 'ftp'], 'google-drive, dropbox'],
    ['a descriptor that is none', ['jobs', '--passphrase-fd', 'x'], 'It must be a number'],
    ['a run that is none', ['receipt', 'show', 'job', '--run', '0'], 'It must be a number'],
    ['a time without a schedule', ['backup', '--at', '02:30'], 'go with --every'],
    ['a schedule that is none', ['copy', '--every', 'month'], 'hour, day or week'],
    ['an hour with a time', ['backup', '--every', 'hour', '--at', '02:30'], 'go with --every day'],
    ['a day without a time', ['backup', '--every', 'day'], '--at 02:30'],
    ['a time that is none', ['backup', '--every', 'day', '--at', '25:00'], '00:00 to 23:59'],
    [
      'a zone that is none',
      ['backup', '--every', 'day', '--at', '02:30', '--zone', 'Berlin'],
      'Europe/Berlin',
    ],
    ['a week without days', ['backup', '--every', 'week', '--at', '02:30'], '--on mon,thu'],
    [
      'days that are none',
      ['backup', '--every', 'week', '--at', '02:30', '--on', 'mo'],
      'days of the week',
    ],
    ['days of a day', ['backup', '--every', 'day', '--at', '02:30', '--on', 'mon'], '--every week'],
    ['a schedule that is on and off', ['schedule', 'job', '--every', 'hour', '--off'], '--off'],
    ['a schedule that is neither', ['schedule', 'job'], '--every'],
    ['a file that is not there', ['receipt', 'verify', 'none'], 'there is nothing at that place'],
  ])('says in one line what is wrong with %s, and ends with 2', async (_what, args, words) => {
    const { exitCode, output, errors } = await home.run(args)
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' })
    expect(errors).toMatch(/^waybill: .* \(invalid_request\)\n$/)
    expect(errors).toContain(words)
  })

  it.each([
    ['beside the provider', ['connect', 'dropbox', 'a-very-secret-refresh-token']],
    ['instead of the provider', ['connect', 'a-very-secret-refresh-token']],
  ])('does not repeat a token that was typed %s', async (_where, args) => {
    const { exitCode, errors } = await home.run(args)
    expect(exitCode).toBe(2)
    expect(errors).not.toContain('secret')
  })

  it('names every setting that is missing', async () => {
    const { exitCode, errors } = await home.run(['jobs'])
    expect(exitCode).toBe(2)
    expect(errors).toMatch(/^waybill: Some settings are missing or wrong \(settings_invalid\):\n/)
    expect(errors).toContain('DROPBOX_APP_KEY')
  })

  it('tells without a question that there is no wallet', async () => {
    const { exitCode, errors } = await home.run(['wallet', 'info'])
    expect(exitCode).toBe(1)
    expect(errors).toMatch(/^waybill: There is no wallet .*`waybill wallet create`.*\)\n$/)
  })

  it('says how to give a passphrase where there is no terminal', async () => {
    const { exitCode, errors } = await home.run(['wallet', 'create'])
    expect(exitCode).toBe(2)
    expect(errors).toMatch(/^waybill: There is no terminal .* \(settings_invalid\)\n$/)
  })

  it('makes a wallet, shows it, and gives it another passphrase', async () => {
    await writeFile(join(home.folder, 'first'), 'the first passphrase of all')
    await writeFile(join(home.folder, 'second'), 'the second passphrase of all')
    const wallet = ['--wallet', 'made.age', '--passphrase-file'] as const
    expect(await home.run(['wallet', 'create', ...wallet, 'first'])).toMatchObject({ exitCode: 0 })
    const again = await home.run(['wallet', 'create', ...wallet, 'first'])
    expect(again.errors).toContain('(wallet_exists)')
    const next = ['--next-fd', '3'] as const
    const changed = await home.run(['wallet', 'passphrase', ...next, ...wallet, 'first'], {
      fd3: 'the second passphrase of all\n',
    })
    expect(changed).toMatchObject({ exitCode: 0 })
    const old = await home.run(['wallet', 'info', ...wallet, 'first'])
    expect(old).toMatchObject({ exitCode: 1, output: '' })
    expect(old.errors).toContain('(wrong_passphrase)')
    const { output } = await home.run(['wallet', 'info', ...wallet, 'second'])
    expect(output).toContain('1 in use, 0 retired')
  })

  it('shows help and version as results', async () => {
    const help = await home.run(['--help'])
    expect(help).toMatchObject({ exitCode: 0, errors: '' })
    expect(help.output).toContain('Examples:')
    expect((await home.run(['--version'])).output).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
