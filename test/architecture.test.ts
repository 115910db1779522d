import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'

/*
 * How Waybill is put together, as tables. The tests below them keep the code to it.
 */

/**
 * Who may import whom: a room imports from its own and from rungs below. Rooms on one rung never import each other.
 * The files right under `backend/` are rooms of their own.
 */
const ladder = [
  ['cli', 'addon'],
  ['main'],
  ['app'],
  ['config'],
  ['api'],
  ['rights'],
  ['run'],
  ['plan'],
  ['schedule'],
  ['connect'],
  ['audit'],
  ['records'],
  ['clouds', 'dispatch', 'store', 'vault'],
  ['log'],
  ['shared'],
] as const

/** These two name implementations and hand them on; everybody above the four rooms at the foot knows their contracts only. */
const compositionRoots = ['cli', 'main']

const contracts = [
  'backend/clouds/cloud.ts',
  'backend/dispatch/queue.ts',
  'backend/store/store.ts',
  'backend/vault/key-wrapper.ts',
  'backend/vault/signer.ts',
  'backend/vault/user-keys.ts',
  'backend/vault/dek-cache.ts',
]

/** Functions of the four that are pure, and who uses them. */
const pure: Readonly<Record<string, readonly string[]>> = {
  'backend/clouds/digest.ts': ['run'],
}

/** The add-on runs in Apps Script and knows nothing else of ours. */
const reach: Readonly<Record<string, readonly string[]>> = { addon: ['addon', 'shared'] }

/** Keys are for records: nobody else above can open what is sealed. */
const onlyFor: Readonly<Record<string, readonly string[]>> = { vault: ['records'] }

/** Contracts of theirs that open nothing, and who else may use them. */
const lent: Readonly<Record<string, readonly string[]>> = { 'backend/vault/signer.ts': ['audit'] }

/** Where each package is used. A package that is not here is used nowhere. */
const packages: Readonly<Record<string, readonly string[]>> = {
  '@google-cloud/firestore': ['backend/store/'],
  '@google-cloud/kms': ['backend/main/', 'backend/vault/'],
  '@google-cloud/tasks': ['backend/dispatch/', 'backend/main/'],
  '@grpc/grpc-js': ['backend/main/'],
  '@opentelemetry/api': ['backend/log/', 'backend/main/'],
  '@opentelemetry/exporter-metrics-otlp-http': ['backend/main/'],
  '@opentelemetry/sdk-metrics': ['backend/main/'],
  'age-encryption': ['backend/vault/'],
  'cli-progress': ['backend/cli/'],
  commander: ['backend/cli.ts', 'backend/cli/'],
  dropbox: ['backend/clouds/dropbox/'],
  express: ['backend/app.ts', 'backend/api/', 'backend/main/'],
  googleapis: ['backend/clouds/google-drive/'],
  'hash-wasm': ['backend/clouds/', 'backend/vault/'],
  helmet: ['backend/app.ts'],
  jose: ['backend/api/', 'backend/main/'],
  'node:sqlite': ['backend/store/', 'backend/dispatch/', 'backend/cli'],
  oauth4webapi: ['backend/connect/'],
  'p-limit': ['backend/records/', 'backend/run/'],
  'rate-limiter-flexible': ['backend/api/'],
  'temporal-polyfill': ['backend/schedule/'],
  undici: ['backend/clouds/'],
  zod: ['backend/', 'shared/'],
}

/** Who reads the wall clock, sets timers or draws random numbers without being given them, and why. */
const effects: Readonly<Record<string, string>> = {
  'backend/main.ts': 'gives them to everybody else',
  'backend/main/': 'gives them to what it puts together',
  'backend/cli': 'is the edge of the program, and shows progress to a person',
  'backend/clouds/dropbox/destination.ts': 'default of what is passed in',
  'backend/clouds/google-drive/source.ts': 'default of what is passed in',
  'backend/dispatch/local-queue.ts': 'wakes itself for the next task',
  'backend/run/run-task.ts': 'renews its lease while it works',
  'backend/store/firestore.ts': 'default of what is passed in',
  'backend/store/firestore-transaction.ts': 'waits for other transactions',
  'backend/store/sqlite.ts': 'waits for another process that writes',
}

const wallClock =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bperformance\.now\b/

const environmentReaders = ['backend/cli', 'backend/config.ts', 'backend/main.ts']

const longestFile = 350
const emptyWords = /(?:^|[-/.])(?:utils?|helpers?|common|managers?|services?|base|misc)(?:[-/.]|$)/

/*
 * The reading of the code.
 */

interface Import {
  readonly from: string
  /** A file of ours, or a package. */
  readonly to: string
}

const root = fileURLToPath(new URL('..', import.meta.url))
const files = globSync(['backend/**/*.ts', 'shared/**/*.ts', 'addon/**/*.ts'], { cwd: root })
  .map((path) => path.replaceAll('\\', '/'))
  .toSorted()
const code = new Map(files.map((file) => [file, withoutComments(read(file))]))

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(?<=^|\s)\/\/.*$/gm, '')
}

function importsOf(file: string, source: string): readonly Import[] {
  const named = source.matchAll(/(?:^|\n)(?:import|export)\b[^'"]*?\bfrom '([^']+)'/g)
  const bare = source.matchAll(/(?:^|\n)import '([^']+)'|\bimport\('([^']+)'\)/g)
  return [...named, ...bare].map((match) => {
    const to = match[1] ?? match[2] ?? ''
    return { from: file, to: to.startsWith('.') ? normalize(join(dirname(file), to)) : to }
  })
}

function roomOf(file: string): string {
  const [top = '', room = ''] = file.split('/')
  return top === 'backend' ? room.replace(/\.ts$/, '') : top
}

function rungOf(room: string): number {
  return ladder.findIndex((rung) => rung.some((each) => each === room))
}

const isOurs = (path: string): boolean => /^(?:backend|shared|addon|test)\//.test(path)
const isFoot = (room: string): boolean => rungOf(room) === rungOf('store')
const startsLikeOne = (file: string, starts: readonly string[]): boolean =>
  starts.some((start) => file.startsWith(start))

/** What is wrong with one file's importing another; null if nothing is. */
function objection({ from, to }: Import): string | null {
  const [upper, lower] = [roomOf(from), roomOf(to)]
  if (!isOurs(to)) return packageObjection(from, to)
  if (to.startsWith('test/')) return 'tests are not part of the program'
  if (upper === lower) return providerObjection(from, to)
  if (rungOf(lower) === -1) return `${lower} is not on the ladder`
  if (rungOf(upper) >= rungOf(lower)) return `${lower} is not below ${upper}`
  if (reach[upper]?.includes(lower) === false) return `${upper} does not reach ${lower}`
  if (compositionRoots.includes(upper) || !isFoot(lower)) return null
  if (onlyFor[lower]?.includes(upper) === false && lent[to]?.includes(upper) !== true)
    return `${lower} is not for ${upper}`
  if (contracts.includes(to) || pure[to]?.includes(upper)) return null
  return `${to} is an implementation`
}

function packageObjection(from: string, to: string): string | null {
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(to)?.[0] ?? to
  if (from.startsWith('shared/') && name.startsWith('node:'))
    return 'shared runs where there is no Node'
  const places = packages[name]
  if (places === undefined) return name.startsWith('node:') ? null : `${name} is not in the table`
  return startsLikeOne(from, places) ? null : `${name} is used in ${places.join(', ')} only`
}

/** Each provider is a room within the room. */
function providerObjection(from: string, to: string): string | null {
  const provider = (file: string): string | null =>
    /^backend\/clouds\/([^/]+)\//.exec(file)?.[1] ?? null
  if (provider(to) === null || provider(from) === provider(to)) return null
  return 'only a provider itself and the composition root know what is in its folder'
}

function found(pattern: RegExp, allowed: readonly string[]): readonly string[] {
  return [...code].flatMap(([file, source]) =>
    !startsLikeOne(file, allowed) && pattern.test(source) ? [file] : [],
  )
}

/*
 * The tests.
 */

describe('the code', () => {
  it('imports downwards only, contracts only, and each package where it belongs', () => {
    const objections = [...code]
      .flatMap(([file, source]) => importsOf(file, source))
      .map((each) => ({ ...each, objection: objection(each) }))
      .filter((each) => each.objection !== null)
    expect(objections).toEqual([])
  })

  it('has every room on the ladder', () => {
    expect(files.map(roomOf).filter((room) => rungOf(room) === -1)).toEqual([])
  })

  it(`has no file of more than ${longestFile} lines`, () => {
    const tests = globSync('test/**/*.ts', { cwd: root })
    const long = [...files, ...tests].filter(
      (file) => read(file).split('\n').length > longestFile + 1,
    )
    expect(long).toEqual([])
  })

  it('has no file whose name says nothing', () => {
    expect(files.filter((file) => emptyWords.test(file))).toEqual([])
  })

  it('reads the environment at its edge only', () => {
    expect(found(/\bprocess\.env\b/, environmentReaders)).toEqual([])
  })

  it('does not know that it is tested', () => {
    expect(found(/\bjest\b|NODE_ENV/, [])).toEqual([])
  })

  it('is given the time, timers and chance, but for the files that say why not', () => {
    expect(found(wallClock, Object.keys(effects))).toEqual([])
  })

  it('has no exception in its tables that nobody needs any more', () => {
    const gone = [...contracts, ...Object.keys(pure), ...Object.keys(lent)].filter(
      (file) => !code.has(file),
    )
    const needless = Object.keys(effects).filter(
      (start) =>
        ![...code].some(([file, source]) => file.startsWith(start) && wallClock.test(source)),
    )
    expect([...gone, ...needless]).toEqual([])
  })
})

describe('the ladder', () => {
  it.each([
    ['backend/store/sqlite.ts', 'backend/vault/envelope.ts'],
    ['backend/plan/scan.ts', 'backend/run/record.ts'],
    ['backend/run/run-task.ts', 'backend/store/sqlite.ts'],
    ['backend/run/run-task.ts', 'backend/vault/user-keys.ts'],
    ['backend/run/run-task.ts', 'backend/vault/signer.ts'],
    ['backend/audit/sequence.ts', 'backend/vault/user-keys.ts'],
    ['backend/plan/scan.ts', 'backend/clouds/digest.ts'],
    ['backend/run/run-task.ts', 'backend/clouds/dropbox/names.ts'],
    ['backend/clouds/steady.ts', 'backend/clouds/dropbox/names.ts'],
    ['backend/clouds/dropbox/names.ts', 'backend/clouds/google-drive/item.ts'],
    ['backend/main.ts', 'backend/cli.ts'],
    ['backend/api/jobs.ts', 'test/clouds/random.ts'],
    ['addon/cards.ts', 'backend/log.ts'],
    ['shared/job.ts', 'backend/log.ts'],
    ['shared/job.ts', 'node:crypto'],
    ['backend/run/run-task.ts', 'googleapis/build/src/apis/drive/index.js'],
    ['backend/clouds/dropbox/client.ts', 'googleapis'],
    ['backend/run/run-task.ts', 'left-pad'],
    ['backend/api/jobs.ts', 'node:sqlite'],
    ['backend/main.ts', '@google-cloud/firestore'],
  ])('does not let %s import %s', (from, to) => {
    expect(objection({ from, to })).not.toBeNull()
  })

  it.each([
    ['backend/main.ts', 'backend/store/sqlite.ts'],
    ['backend/run/run-task.ts', 'backend/plan/scan.ts'],
    ['backend/run/read-item.ts', 'backend/clouds/digest.ts'],
    ['backend/plan/scan.ts', 'backend/clouds/cloud.ts'],
    ['backend/records/owner.ts', 'backend/vault/user-keys.ts'],
    ['backend/clouds/dropbox/client.ts', 'backend/clouds/http.ts'],
    ['backend/clouds/dropbox/client.ts', 'dropbox'],
    ['addon/cards.ts', 'shared/job.ts'],
  ])('lets %s import %s', (from, to) => {
    expect(objection({ from, to })).toBeNull()
  })

  it('sees imports of every form', () => {
    const source = [
      "import { a } from './a.ts'",
      "import type {\n  B,\n} from '../store/store.ts'",
      "export { c } from './c.ts'",
      "import './d.ts'",
      "const e = await import('express')",
    ].join('\n')
    expect(importsOf('backend/run/x.ts', source).map((each) => each.to)).toEqual([
      'backend/run/a.ts',
      'backend/store/store.ts',
      'backend/run/c.ts',
      'backend/run/d.ts',
      'express',
    ])
  })
})
