import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { forkClouds } from '../../clouds/fork.ts'
import type { ForkedClouds } from '../../clouds/fork.ts'
import { connectBoth, createHome } from './run-waybill.ts'
import type { Home } from './run-waybill.ts'

const open = ['--passphrase-file', 'passphrase'] as const

describe('the command line, with both accounts connected', () => {
  let clouds: ForkedClouds
  let home: Home

  beforeAll(async () => {
    clouds = await forkClouds({ seed: 'command line' })
  })

  afterAll(async () => clouds.close())

  beforeEach(async () => {
    home = await createHome(clouds)
  })

  afterEach(async () => {
    await clouds.dropbox.control.setOffline(false)
    await home.remove()
  })

  const folderWith = async (files: number, size = 100): Promise<string> => {
    const { folders } = await clouds.drive.control.addTree({
      folders: 1,
      filesPerFolder: files,
      fileSize: size,
      prefix: `${expect.getState().currentTestName} `,
    })
    return folders[0] ?? ''
  }

  const jobOf = (output: string): string => /receipt show (\S+)/.exec(output)?.[1] ?? 'none'

  it('says whose accounts it has connected, and lists them without a token', async () => {
    const said = await connectBoth(home, clouds)
    expect(said.map(({ output }) => output)).toEqual([
      expect.stringMatching(/^Connected Google Drive as \S+@\S+\. \(\S+\)\n$/),
      expect.stringMatching(/^Connected Dropbox as \S+@\S+\. \(\S+\)\n$/),
    ])
    const { output, errors } = await home.run(['connections', ...open])
    expect(output.split('\n')).toHaveLength(3)
    expect(`${output}${errors}`).not.toContain(clouds.drive.refreshToken)
  })

  it('puts keys under the newest outer key, and says that none is under an older one', async () => {
    await connectBoth(home, clouds)
    const { exitCode, output, errors } = await home.run(['keys', 'rewrap', ...open])
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' })
    expect(output).toMatch(/^0 put under the newest, 0 left\.\nNo key is under an older one/)
  })

  it('replaces keys, waits until nothing works with older ones, and may be interrupted in that', async () => {
    const empty = await createHome(clouds)
    const nobody = await empty.run(['keys', 'rotate', ...open])
    await empty.remove()
    expect(nobody).toEqual({
      exitCode: 0,
      errors: '',
      output:
        '0 replaced, 0 records sealed anew, 0 left.\nNothing is under an older key, and the older keys are gone.\n',
    })
    await connectBoth(home, clouds)
    for (let n = 0; n < 2; n += 1) {
      const rotating = home.start(['keys', 'rotate', ...open])
      await rotating.says('0 replaced, 0 records sealed anew. Waiting until ')
      rotating.kill('SIGINT')
      const { exitCode, output, errors } = await rotating.ended
      expect({ exitCode, output }).toEqual({
        exitCode: 1,
        output: '0 replaced, 0 records sealed anew, 1 left.\n',
      })
      expect(errors).toContain('Do this again later: it goes on where it was')
    }
    expect((await home.run(['connections', ...open])).output.split('\n')).toHaveLength(3)
  })

  it('refuses a token that the provider refuses', async () => {
    const { exitCode, errors } = await home.run(
      ['connect', 'dropbox', '--token-fd', '3', ...open],
      { fd3: 'of no use' },
    )
    expect(exitCode).toBe(1)
    expect(errors).toContain('(connection_expired)')
    expect(errors).not.toContain('of no use')
  })

  it('copies a folder, says what came of it, and gives a receipt that verifies', async () => {
    await connectBoth(home, clouds)
    const folder = await folderWith(3)
    const id = await clouds.drive.control.addFile(folder, 'closed', { pattern: 'x', size: 9 })
    await clouds.drive.control.setCanDownload(id, false)

    const copied = await home.run([
      'copy',
      '--from',
      `folder:${folder}`,
      '--to',
      '/Copies',
      ...open,
    ])
    expect(copied).toMatchObject({ exitCode: 0 })
    expect(copied.output).toMatch(/^Done: \d items copied to \/Copies\.\n/)
    expect(copied.output).toContain('Left out: 1\n  1 × The owner does not allow downloads.')
    expect(copied.output).toContain('closed (download_forbidden)')
    expect(copied.output).toContain('3 files match the fingerprints that both clouds keep of them')
    expect(JSON.stringify(await clouds.dropbox.control.dump())).toContain('file 0-2.bin')

    const job = jobOf(copied.output)
    await home.run(['receipt', 'show', job, '--out', 'receipt.jsonl', ...open])
    const file = join(home.folder, 'receipt.jsonl')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const whole = await home.run(['receipt', 'verify', 'receipt.jsonl'])
    expect(whole).toMatchObject({ exitCode: 0, errors: '' })
    expect(whole.output).toMatch(/^The receipt is whole: .* give the root [0-9a-f]{64}\.\n$/)

    await writeFile(file, (await readFile(file, 'utf8')).replace('file 0-1', 'file 0-9'))
    const changed = await home.run(['receipt', 'verify', 'receipt.jsonl'])
    expect(changed).toMatchObject({ exitCode: 1, output: '' })
    expect(changed.errors).toContain('(receipt_invalid)')

    const again = await home.run(['receipt', 'show', job, '--out', 'receipt.jsonl', ...open])
    expect(again).toMatchObject({ exitCode: 2 })
    expect(again.errors).toContain('There is a file at that place already')
  })

  it('backs up by a schedule, says when it is next, and changes that', async () => {
    await connectBoth(home, clouds)
    const folder = await folderWith(2)
    const what = ['--from', `folder:${folder}`, '--to', '/Kept'] as const
    const when = ['--every', 'week', '--on', 'thu,mon', '--at', '02:30', '--zone', 'Asia/Tokyo']
    const first = await home.run(['backup', ...what, ...when, ...open])
    expect(first).toMatchObject({ exitCode: 0 })
    expect(first.output).toMatch(/^Next run: .*waybill serve/m)
    const job = jobOf(first.output)

    const shown = await home.run(['job', job, ...open])
    expect(shown.output).toMatch(/^Backs up a folder to \/Kept\./)
    expect(shown.output).toContain('Runs every Monday, Thursday at 02:30 (Asia/Tokyo), next on ')
    const listed = await home.run(['jobs', ...open])
    expect(listed.output).toMatch(new RegExp(`^${job} .* next \\S`))

    const again = await home.run(['backup', '--job', job, ...open])
    expect(again.output).toMatch(/^Done: \/Kept was up to date already\./)
    const beside = await home.run(['backup', '--job', job, '--every', 'hour', ...open])
    expect(beside).toMatchObject({ exitCode: 2, output: '' })
    expect(beside.errors).toContain('waybill schedule')

    const hourly = await home.run(['schedule', job, '--every', 'hour', ...open])
    expect(hourly.output).toMatch(/^Runs every hour, next on .*\.\n$/)
    const off = await home.run(['schedule', job, '--off', '--json', ...open])
    expect(JSON.parse(off.output)).toMatchObject({ id: job, nextRunAt: null })
    expect((await home.run(['jobs', ...open])).output).not.toContain('next')
  })

  it('asks before a backup replaces unusually many copies', async () => {
    await connectBoth(home, clouds)
    const { folders, files } = await clouds.drive.control.addTree({
      folders: 1,
      filesPerFolder: 101,
      fileSize: 10,
      prefix: 'many ',
    })
    const from = ['--from', `folder:${folders[0] ?? ''}`, '--to', '/Many'] as const
    const job = jobOf((await home.run(['backup', ...from, ...open])).output)
    for (const id of files) await clouds.drive.control.update(id, { content: 'other' })
    const asked = await home.run(['backup', '--job', job, ...open])
    expect(asked).toMatchObject({ exitCode: 1 })
    expect(asked.output).toMatch(/^Paused: Unusually many files .*\(many_changes\)\n/)
    expect(asked.output).toContain(`waybill resume ${job}`)
    // To run it again is no answer.
    const again = await home.run(['backup', '--job', job, ...open])
    expect(again).toMatchObject({ exitCode: 1, output: '' })
    expect(again.errors).toContain('(many_changes)')
    const resumed = await home.run(['resume', job, ...open])
    expect(resumed).toMatchObject({ exitCode: 0 })
    expect(resumed.output).toMatch(/^Done: 101 items copied/)
  })

  it('runs a job again, only for what has changed, and prints one object when asked', async () => {
    await connectBoth(home, clouds)
    const folder = await folderWith(2)
    const first = await home.run(['copy', '--from', `folder:${folder}`, '--to', '/Again', ...open])
    const job = jobOf(first.output)
    await clouds.drive.control.addFile(folder, 'new.txt', { pattern: 'new', size: 5 })

    const { exitCode, output } = await home.run(['copy', '--job', job, '--json', ...open])
    expect(exitCode).toBe(0)
    const view = JSON.parse(output)
    expect(view).toMatchObject({ id: job, notCarried: [] })
    expect(view.run).toMatchObject({ number: 2, state: 'done', totals: { copied: 1, bytes: 5 } })

    const other = await home.run(['copy', '--job', job, '--from', 'drive', ...open])
    expect(other).toMatchObject({ exitCode: 2, output: '' })
    const over = await home.run(['resume', job, ...open])
    expect(over.errors).toContain('(wrong_state)')
  })

  it('stops when interrupted, and goes on where it was', async () => {
    await connectBoth(home, clouds)
    const folder = await folderWith(3)
    await clouds.dropbox.control.setOffline(true)
    const copying = home.start(['copy', '--from', `folder:${folder}`, '--to', '/Halted', ...open])
    await copying.says('Looking through')
    copying.kill('SIGINT')
    const stopped = await copying.ended
    await clouds.dropbox.control.setOffline(false)
    expect(stopped.exitCode).toBe(130)
    const job = /waybill resume (\S+)/.exec(stopped.errors)?.[1] ?? 'none'

    const resumed = await home.run(['resume', job, ...open])
    expect(resumed).toMatchObject({ exitCode: 0 })
    expect(resumed.output).toMatch(/^Done: \d items copied/)
  })

  it('says what to do when a person has to do something, and fails', async () => {
    await connectBoth(home, clouds)
    const folder = await folderWith(1)
    await clouds.dropbox.control.makeFolder('/Closed')
    await clouds.dropbox.control.setReadOnly('/Closed')
    const { exitCode, output } = await home.run([
      'copy',
      '--from',
      `folder:${folder}`,
      '--to',
      '/Closed/In',
      ...open,
    ])
    expect(exitCode).toBe(1)
    expect(output).toMatch(/^Paused: .* then let the job go on\. \(destination_forbidden\)\n/)
    expect(output).toMatch(/To go on: waybill resume \S+\n$/)
  })

  it('looks on when another process is at work, which can be told to cancel', async () => {
    await connectBoth(home, clouds)
    const folder = await folderWith(1)
    const serving = home.start(['serve', ...open])
    await serving.says('listening')
    await clouds.dropbox.control.setOffline(true)
    const copying = home.start(['copy', '--from', `folder:${folder}`, '--to', '/Watched', ...open])
    await copying.says('Another Waybill process')
    await copying.says('Looking through')
    const { output } = await home.run(['jobs', '--json', ...open])
    const job: string = JSON.parse(output).jobs[0].id
    expect(await home.run(['cancel', job, ...open])).toMatchObject({ exitCode: 0 })
    const cancelled = await copying.ended
    await clouds.dropbox.control.setOffline(false)
    expect(cancelled.exitCode).toBe(1)
    expect(cancelled.output).toMatch(/^Cancelled\. 0 items had been copied/)
    const twice = await home.run(['cancel', job, ...open])
    expect(twice.errors).toContain('The last run of this job is over already. (wrong_state)')
    serving.kill('SIGTERM')
    expect(await serving.ended).toMatchObject({ exitCode: 0 })
  })

  it('takes the work over when the process that did it is killed', async () => {
    await connectBoth(home, clouds)
    const folder = await folderWith(1)
    const serving = home.start(['serve', ...open])
    await serving.says('listening')
    await clouds.dropbox.control.setOffline(true)
    const copying = home.start(['copy', '--from', `folder:${folder}`, '--to', '/Taken', ...open])
    await copying.says('Looking through')
    serving.kill('SIGKILL')
    await serving.ended
    await clouds.dropbox.control.setOffline(false)
    expect(await copying.ended).toMatchObject({ exitCode: 0 })
  })
})
