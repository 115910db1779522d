import { globSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { readSettings } from '../../../backend/config.ts'
import { WaybillError } from '../../../shared/errors.ts'
import { buildCommands, read } from './deployed-files.ts'
import { does, flagOf, root } from './record-commands.ts'

const page = read('docs/deploy.md')

/** The rows of the table under a heading, without its own two. */
function tableUnder(heading: string): readonly (readonly string[])[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

/** Names of settings that the program takes, as they stand in the schemas. */
const taken = globSync(['backend/config.ts', 'backend/config/*.ts'], { cwd: root }).flatMap(
  (path) => [...read(path).matchAll(/^ {2}([A-Z][A-Z0-9_]+): /gm)].map(([, name = '']) => name),
)

/** What of the settings is missing when nothing is set but this. */
function missingIn(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    readSettings(environment)
    return []
  } catch (error) {
    if (!(error instanceof WaybillError)) throw error
    return [...error.message.matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name)
  }
}

describe('the table of settings', () => {
  const rows = tableUnder('Every setting').map(([name = '', , otherwise = '', by = '']) => ({
    name: name.replaceAll('`', ''),
    otherwise,
    by,
  }))
  const namesBy = (by: string): readonly string[] =>
    rows.filter((row) => row.by === by).map(({ name }) => name)

  it('has each setting that there is, once, and no other', () => {
    expect(taken.length).toBeGreaterThan(20)
    expect(rows.map(({ name }) => name).toSorted()).toEqual(taken.toSorted())
  })

  it('says of those that are needed, and of no other, that they are', () => {
    const needed = rows.filter(({ otherwise }) => otherwise === 'needed').map(({ name }) => name)
    expect(needed.toSorted()).toEqual(missingIn({ WAYBILL_PLATFORM: 'google-cloud' }).toSorted())
  })

  it('says of each that stands there in letters what it is unless it is set', () => {
    const inLetters = rows.filter(({ otherwise }) => /^`[^A-Z]+`$/.test(otherwise))
    const sources = globSync(['backend/config.ts', 'backend/config/*.ts'], { cwd: root }).map(read)
    expect(inLetters.length).toBeGreaterThan(8)
    for (const { name, otherwise } of inLetters) {
      const value = otherwise.replaceAll('`', '')
      const entry = sources
        .map((source) => source.split(`\n  ${name}: `)[1]?.split(/\n {2}[A-Z]/)[0])
        .find((found) => found !== undefined)
      const isDefault =
        entry?.replaceAll(/\s/g, '').includes(`default('${value}'`) === true ||
        sources.some((source) => new RegExp(`= \\['${value}', .*\\] as const`).test(source))
      expect({ name, isDefault }).toEqual({ name, isDefault: true })
    }
  })

  it('says what the build and the image set', () => {
    const deploy = buildCommands(true).find((command) => does(command, 'run deploy')) ?? ['']
    const names = (flag: string): readonly string[] =>
      (flagOf(deploy, flag) ?? '').split(',').map((pair) => pair.split('=')[0] ?? '')
    expect(namesBy('build').toSorted()).toEqual(names('update-env-vars').toSorted())
    expect(namesBy('secret').toSorted()).toEqual(names('update-secrets').toSorted())
    for (const name of namesBy('image'))
      expect(read('backend/Dockerfile')).toMatch(new RegExp(`^ENV .*\\b${name}=`, 'm'))
  })
})

describe('the table of costs', () => {
  const number = (cell: string | undefined): number => Number((cell ?? '').replaceAll(/[,*]/g, ''))
  const rows = tableUnder('What it costs')
  const operations = rows.slice(0, -1).map(([operation = '', ...cells]) => {
    const [each = NaN, million = NaN, price = NaN, of = NaN, cost = NaN] = cells.map(number)
    return { operation, each, million, price, of, cost }
  })

  it('reckons right', () => {
    expect(operations).toHaveLength(5)
    for (const { operation, each, million, price, of, cost } of operations) {
      expect({ operation, million }).toEqual({ operation, million: each * 1_000 })
      expect({ operation, cost }).toEqual({
        operation,
        cost: Number(((million / of) * price).toFixed(4)),
      })
    }
    const sum = operations.reduce((total, { cost }) => total + cost, 0)
    expect(number(rows.at(-1)?.at(-1))).toBeCloseTo(sum, 4)
  })
})

describe('docs/deploy.md', () => {
  it('points to files that are there', () => {
    const links = [...page.matchAll(/\]\((\.\.\/[^)#]+)/g)].map(([, path = '']) => path.slice(3))
    expect(links.length).toBeGreaterThan(8)
    expect(links.filter((path) => globSync(path, { cwd: root }).length === 0)).toEqual([])
  })
})
