import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { expect, it } from '@jest/globals'
import { z } from 'zod'
import { describeWhere } from './describe-where.ts'
import { buildCommands, documentedCommands, setUpCommands } from './deployed-files.ts'
import { root } from './record-commands.ts'
import type { Command } from './record-commands.ts'

/*
 * The Google Cloud CLI knows its commands, their flags, and what values these take, and has a command of its own that
 * checks others without calling anybody.
 */
const present = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'gcloud')))

const results = z.record(
  z.string(),
  z.array(
    z.object({
      command_string: z.string(),
      success: z.boolean(),
      error_message: z.string().nullable(),
    }),
  ),
)

const quoted = (arg: string): string => (/[\s*'"()|]/.test(arg) ? `'${arg}'` : arg)

/** What the CLI has against commands, an objection each; also if it did not look at all of them. */
function objections(commands: readonly Command[]): readonly string[] {
  const texts = [...new Set(commands.map((command) => command.map(quoted).join(' ')))]
  const folder = mkdtempSync(join(tmpdir(), 'waybill-gcloud-'))
  try {
    const file = join(folder, 'commands.json')
    writeFileSync(file, JSON.stringify(texts.map((text) => ({ command_string: text }))))
    const { stdout, stderr } = spawnSync(
      'gcloud',
      ['meta', 'lint-gcloud-commands', `--commands-file=${file}`, '--serialize'],
      {
        encoding: 'utf8',
        maxBuffer: 256 * 1024 * 1024,
        env: { ...process.env, CLOUDSDK_CONFIG: folder, CLOUDSDK_CORE_DISABLE_PROMPTS: '1' },
      },
    )
    if (stdout === '') throw new Error(`gcloud did not check: ${stderr}`)
    const checked = Object.values(results.parse(JSON.parse(stdout))).flat()
    expect(checked).toHaveLength(texts.length)
    return checked
      .filter(({ success }) => !success)
      .map((each) => `${each.command_string}: ${each.error_message}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const ours = (commands: readonly Command[]): readonly Command[] =>
  commands.filter(([program]) => program === 'gcloud')

describeWhere(
  present,
  'every gcloud command is one that gcloud knows, with its flags and their values',
  'needs the Google Cloud CLI on the PATH',
  () => {
    it('in the set-up', () => {
      expect(objections(ours([...setUpCommands(true), ...setUpCommands(false)]))).toEqual([])
    })

    it('in the build', () => {
      expect(objections(ours([...buildCommands(true), ...buildCommands(false)]))).toEqual([])
    })

    it('in the documentation', () => {
      // It has the reader run the set-up, which is looked at above.
      const others = new Set(setUpCommands(false).map(String))
      const commands = ours(documentedCommands()).filter((command) => !others.has(String(command)))
      expect(commands.length).toBeGreaterThan(20)
      expect(objections(commands)).toEqual([])
    })

    it('and gcloud objects where one is wrong', () => {
      const wrong: readonly Command[] = [
        ['gcloud', 'run', 'deplore', 'waybill-api'],
        ['gcloud', 'tasks', 'queues', 'update', 'q', '--max-atempts=3'],
        ['gcloud', 'run', 'deploy', 'a', '--image=i', '--startup-probe=httpGet.paths=/health'],
        ['gcloud', 'kms', 'keyrings', 'describe', '--location=us-west1'],
      ]
      expect(objections(wrong)).toHaveLength(wrong.length)
    })
  },
)

describeWhere(present, 'a build', 'needs the Google Cloud CLI on the PATH', () => {
  it('is sent what git has, and nothing that stays here', () => {
    const folder = mkdtempSync(join(tmpdir(), 'waybill-gcloud-'))
    try {
      const sent = ['.oxlintrc.json', 'backend/main.ts', 'cloudbuild.yaml', 'test/setup.ts']
      const kept = ['.env', 'wallet.age', 'wallet.age.bak', 'waybill.db', 'waybill.db-wal']
      for (const path of [...sent, ...kept, 'node_modules/a/index.js', '.git/config']) {
        mkdirSync(join(folder, dirname(path)), { recursive: true })
        writeFileSync(join(folder, path), '')
      }
      for (const path of ['.gcloudignore', '.gitignore'])
        copyFileSync(join(root, path), join(folder, path))
      const { stdout } = spawnSync('gcloud', ['meta', 'list-files-for-upload', folder], {
        encoding: 'utf8',
        env: { ...process.env, CLOUDSDK_CONFIG: join(folder, '.git') },
      })
      const listed = stdout
        .trim()
        .split('\n')
        .filter((path) => path !== '.gcloudignore')
      expect(listed.toSorted()).toEqual(sent)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
