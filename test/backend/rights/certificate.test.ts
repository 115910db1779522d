import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createActs } from '../../../backend/audit/acts.ts'
import { verifyCertificate } from '../../../backend/audit/certificate.ts'
import { openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import { certificateOf, worldOn } from './erasing.ts'
import type { World } from './erasing.ts'
import { furnish } from './person.ts'

const ann = 'user-of-ann-4711'
const day = 24 * 3_600_000

let world: World
beforeEach(async () => {
  const time = { now: 1_800_000_000_000 }
  const store = createSqliteStore(openStoreFile(':memory:'), { clock: () => time.now })
  world = worldOn(store, time)
  await furnish(world.process(), ann, { jobs: 1, rows: 1 })
})
afterEach(() => world.store.close())

describe('the code', () => {
  const wrong = { code: 'invalid_request' }

  it('is needed: nothing begins with another, or none, and it can be typed in small letters', async () => {
    const { rights } = world.process()
    await expect(rights.erase(ann, 'AAAAA-AAAAA')).rejects.toMatchObject(wrong)
    const { code, until } = await rights.eraseAsk(ann)
    expect(code).toMatch(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/)
    expect(Date.parse(until) - world.now()).toBe(600_000)
    await expect(rights.erase('user-of-bob-4712', code)).rejects.toMatchObject(wrong)
    await expect(rights.erase(ann, code.slice(0, -1))).rejects.toMatchObject(wrong)
    expect((await world.store.get('freezes', ann))?.fields).toEqual({ since: world.now() })
    const typed = ` ${code.toLowerCase().replace('-', '')}`
    expect(await rights.erase(ann, typed)).toMatchObject({ state: 'erased' })
  })

  it('is good for ten minutes, and no longer once there is another', async () => {
    const { rights } = world.process()
    const first = await rights.eraseAsk(ann)
    const second = await rights.eraseAsk(ann)
    await expect(rights.erase(ann, first.code)).rejects.toMatchObject(wrong)
    world.pass(600_000)
    await expect(rights.erase(ann, second.code)).rejects.toMatchObject(wrong)
  })

  it('begins one erasure, however many use it at once', async () => {
    const { rights } = world.process()
    const { code } = await rights.eraseAsk(ann)
    const all = [1, 2, 3, 4].map(async () => world.process().rights.erase(ann, code))
    const begun = (await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled')
    expect(begun).toHaveLength(1)
  })
})

describe('a certificate', () => {
  it('is fetched with its secret only, for 30 days, and says nothing of the person', async () => {
    const { rights } = world.process()
    const begun = await rights.erase(ann, (await rights.eraseAsk(ann)).code)
    expect(await rights.certificate(begun.id, begun.secret)).toMatchObject({ state: 'erased' })
    const certificate = await certificateOf(world, begun)
    expect(JSON.stringify(certificate)).not.toContain(ann)
    const missing = { code: 'not_found' }
    for (const [id, secret] of [
      [begun.id, `${begun.secret}x`],
      [begun.id, ''],
      ['another', begun.secret],
    ] as const)
      await expect(rights.certificate(id, secret)).rejects.toMatchObject(missing)
    world.pass(30 * day - 1)
    expect(await rights.certificate(begun.id, begun.secret)).toMatchObject({ state: 'certified' })
    world.pass(1)
    await expect(rights.certificate(begun.id, begun.secret)).rejects.toMatchObject(missing)
  })

  it('holds by itself, by the key that is known, and not by another', async () => {
    const text = JSON.stringify(await certificateOf(world, await world.process().erase(ann)))
    const { statement, key, line } = verifyCertificate(text)
    expect(statement).toMatchObject({ v: 1, copies: { keys: 'inside' } })
    expect(line).toBeLessThan(9)
    expect(verifyCertificate(text, [key]).statement).toEqual(statement)
    const broken = expect.objectContaining({ code: 'audit_invalid' })
    const [name = ''] = key.split('+')
    await furnish(world.process(), 'user-of-bob-4712', { jobs: 1, rows: 1 })
    const other = worldOn(world.store, { now: world.now() })
    const begun = await other.process().erase('user-of-bob-4712')
    const { key: another } = await certificateOf(other, begun)
    expect(another.startsWith(name)).toBe(true)
    expect(() => verifyCertificate(text, [another])).toThrow(broken)
    expect(() => verifyCertificate(text, ['no key'])).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
  })

  it('holds no more when any of it is changed, or put together of two', async () => {
    const acts = createActs({ ...world.process(), random: randomBytes })
    // Eleven lines with that of the erasure: wherever it comes, more than one hash proves it.
    for (let n = 0; n < 2; n += 1)
      await acts.record(ann, { act: 'job_paused', target: null, details: { n } })
    const one = await certificateOf(world, await world.process().erase(ann))
    await furnish(world.process(), ann, { jobs: 1, rows: 1 })
    const two = await certificateOf(world, await world.process().erase(ann))
    const broken = expect.objectContaining({ code: 'audit_invalid' })
    const lies: object[] = [
      { ...one, note: one.note.replace('"jobs":1', '"jobs":2') },
      { ...one, note: two.note },
      { ...one, proof: two.proof },
      { ...one, proof: { ...one.proof, line: two.proof.line } },
      { ...one, proof: { ...one.proof, head: two.proof.head } },
      { ...one, proof: { ...one.proof, path: [] } },
      { ...one, proof: { ...one.proof, path: one.proof.path.toReversed() } },
      {
        ...one,
        proof: { ...one.proof, line: one.proof.line.replace('user_erased', 'user_frozen') },
      },
      { ...one, more: 1 },
      { ...one, note: one.proof.head },
    ]
    expect(one.proof.path.length).toBeGreaterThan(1)
    for (const lie of lies) expect(() => verifyCertificate(JSON.stringify(lie))).toThrow(broken)
    // Every single character of what is signed and proven.
    const text = JSON.stringify(one)
    for (let at = 0; at < text.length; at += 3) {
      const changed = `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`
      expect(() => verifyCertificate(changed)).toThrow(broken)
    }
  })
})
