import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, globSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { settingsFor } from '../../clouds/settings-for.ts'
import { startClouds } from '../../clouds/start.ts'
import type { Clouds } from '../../clouds/start.ts'
import { describeWithFirestore } from '../../platform/firestore.ts'
import { startGoogleCloud } from '../../platform/google-cloud.ts'
import type { GoogleCloud } from '../../platform/google-cloud.ts'
import { describeWhere } from './describe-where.ts'
import { flagsIn, read } from './deployed-files.ts'
import { root } from './record-commands.ts'

/*
 * What the image holds and does, without an image: the instructions of the Dockerfile in a folder of this machine, with
 * the Node that runs this test, which is the image's.
 */
const stages = read('backend/Dockerfile')
  .split(/^FROM .*$/m)
  .slice(1)
const instructions = (stage: string | undefined, name: string): readonly string[] =>
  [...(stage ?? '').matchAll(new RegExp(`^${name} (.*)$`, 'gm'))].map(([, rest = '']) => rest)

const copies = stages.flatMap((stage) =>
  instructions(stage, 'COPY')
    .filter((copy) => !copy.startsWith('--from='))
    .flatMap((copy) => {
      const paths = copy.split(' ')
      const to = paths.at(-1) ?? ''
      return paths.slice(0, -1).map((from) => ({ from, to: to === './' ? from : to }))
    }),
)
const copied = copies.map(({ from }) => from)
const words = (json: string | undefined): readonly string[] => JSON.parse(json ?? '[]')
const started = [
  ...words(instructions(stages[1], 'ENTRYPOINT')[0]),
  ...words(instructions(stages[1], 'CMD')[0]),
]
const environment = Object.fromEntries(
  instructions(stages[1], 'ENV').flatMap((line) => line.split(' ').map((pair) => pair.split('='))),
)

/** Where Cloud Run asks a service whether it has started. */
function probedPath(role: string): string {
  const flags = flagsIn(`backend/deploy/${role}.yaml`).join(' ')
  return /--startup-probe=httpGet\.path=([^,]+)/.exec(flags)?.[1] ?? ''
}

const endsWithinMs = 10_000

const registryAnswers =
  spawnSync('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=5000']).status === 0

it('is made of files that are there, and that Docker is sent', () => {
  const sent = read('.dockerignore')
    .split('\n')
    .flatMap((line) => (line.startsWith('!') ? line.slice(1) : []))
  expect([...new Set(copied)].toSorted()).toEqual(sent.toSorted())
  expect(copied.filter((path) => globSync(path, { cwd: root }).length === 0)).toEqual([])
})

it('is not run as root, nor by a shell', () => {
  expect(instructions(stages[1], 'USER')).toEqual(['node'])
  expect(started).toEqual(['node', 'backend/cli.ts', 'serve'])
})

describeWhere(registryAnswers, 'with packages', 'needs the registry of npm', () => {
  describeWithFirestore('what the image holds', (emulator) => {
    let folder: string
    let clouds: Clouds
    let googleCloud: GoogleCloud

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'waybill-image-'))
      for (const { from, to } of copies)
        cpSync(join(root, from), join(folder, to), { recursive: true })
      const [install = ''] = instructions(stages[0], 'RUN')
      const { status, stderr } = spawnSync('sh', ['-c', install], {
        cwd: folder,
        encoding: 'utf8',
      })
      if (status !== 0) throw new Error(`${install} ended with ${status}: ${stderr}`)
      const [compile = ''] = instructions(stages[1], 'RUN')
      const compiling = spawnSync('sh', ['-c', compile], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...inside(), PATH: [dirname(process.execPath), process.env['PATH']].join(':') },
      })
      if (compiling.status !== 0) throw new Error(`${compile} failed: ${compiling.stderr}`)
      clouds = await startClouds()
      const { project } = emulator
      const firestoreHost = emulator.host()
      googleCloud = await startGoogleCloud({ project, firestoreHost, issuer: clouds.issuer })
    }, 300_000)
    afterAll(async () => {
      await googleCloud.close()
      await clouds.close()
      // It is made such that nobody may write there.
      spawnSync('chmod', ['-R', 'u+w', folder])
      rmSync(folder, { recursive: true, force: true })
    })

    const compiled = () => join(folder, 'compiled')
    /** The environment that the image gives, here. */
    const inside = () => ({ ...environment, NODE_COMPILE_CACHE: compiled() })
    const compiledFiles = () =>
      globSync('**', { cwd: compiled() })
        .toSorted()
        .map((name) => {
          const { mtimeMs, size } = statSync(join(compiled(), name))
          return { name, mtimeMs, size }
        })

    const start = (variables: Readonly<Record<string, string>>) => {
      const program = spawn(process.execPath, started.slice(1), {
        cwd: folder,
        env: { ...inside(), METADATA_SERVER_DETECTION: 'none', ...variables },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      // Apart: a line of one may come in the middle of a line of the other.
      const said = ['', '']
      for (const [at, stream] of [program.stdout, program.stderr].entries())
        stream.setEncoding('utf8').on('data', (text: string) => (said[at] += text))
      return { program, exited: once(program, 'close'), said: () => said.join('\n') }
    }

    const settings = () => {
      const { drive, dropbox, issuer } = clouds
      const reached = {
        drive: { ...drive.account, url: drive.url, tokenUrl: `${drive.url}/token` },
        dropbox: { ...dropbox.account, url: dropbox.url, tokenUrl: `${dropbox.url}/oauth2/token` },
        issuer,
      }
      return { ...settingsFor(reached, folder), ...googleCloud.variables }
    }

    it('has no package that is for development only', () => {
      const packages = readdirSync(join(folder, 'node_modules'))
      expect(packages).toContain('express')
      expect(packages.filter((name) => ['jest', 'typescript', 'oxlint'].includes(name))).toEqual([])
    })

    it.each(['api', 'runner'])(
      'starts as %s, answers, and ends when it is told to',
      async (role) => {
        const variables = settings()
        const { program, exited, said } = start({ ...variables, WAYBILL_ROLE: role })
        const url = `http://127.0.0.1:${variables['PORT']}`
        const answered = async (path: string) => {
          for (;;) {
            const answer = await fetch(`${url}${path}`).catch(() => null)
            if (answer !== null) return answer.status
            if (program.exitCode !== null) throw new Error(`it ended: ${said()}`)
            await sleep(50)
          }
        }
        try {
          expect(await answered(probedPath(role))).toBe(200)
          expect(await answered('/ready')).toBe(200)
          expect(await answered('/v1/jobs')).toBe(role === 'api' ? 401 : 404)
        } finally {
          program.kill('SIGTERM')
        }
        const killing = setTimeout(() => program.kill('SIGKILL'), endsWithinMs)
        expect(await exited).toEqual([0, null])
        clearTimeout(killing)
      },
    )

    it('has all that a role loads compiled ahead, uses it, and leaves it as it is', async () => {
      const before = compiledFiles()
      expect(before.length).toBeGreaterThan(500)
      for (const role of ['api', 'runner']) {
        const variables = settings()
        const { program, exited, said } = start({
          ...variables,
          WAYBILL_ROLE: role,
          NODE_DEBUG_NATIVE: 'COMPILE_CACHE',
        })
        while (
          (await fetch(`http://127.0.0.1:${variables['PORT']}/ready`).catch(() => null)) === null
        ) {
          if (program.exitCode !== null) throw new Error(`it ended: ${said()}`)
          await sleep(50)
        }
        program.kill('SIGTERM')
        await exited
        const lines = said().split('\n')
        const asked = lines.filter((line) => line.includes('reading cache from'))
        expect(asked.length).toBeGreaterThan(500)
        expect(asked.filter((line) => !line.includes('success'))).toEqual([])
        expect(lines.filter((line) => / was rejected|writing cache for/.test(line))).toEqual([])
      }
      expect(compiledFiles()).toEqual(before)
    }, 60_000)

    it('says which settings are missing, and does not start', async () => {
      const { exited, said } = start({ WAYBILL_ROLE: 'runner' })
      expect(await exited).toEqual([2, null])
      expect(said()).toContain('WAYBILL_KMS_KEY: set it to projects/')
    })
  })
})
