import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { createSightings } from '../../../backend/records/sightings.ts'
import type { Sightings } from '../../../backend/records/sightings.ts'
import { leaksIn } from '../../spellings.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'

const day = 24 * 60 * 60_000
const home = { network: '192.0.2.0/24', country: 'DE' }
const known = { network: false, country: false }

let records: KeptRecords
let sightings: Sightings
beforeEach(() => {
  records = keepRecords()
  sightings = createSightings(records)
})
afterEach(() => records.close())

it('the first place of somebody is no news, another one is once', async () => {
  const ann = { user: 'ann' }
  expect(await sightings.see(ann, home)).toEqual(known)
  expect(await sightings.see(ann, home)).toEqual(known)
  const train = { network: '198.51.100.0/24', country: 'DE' }
  expect(await sightings.see(ann, train)).toEqual({ network: true, country: false })
  expect(await sightings.see(ann, train)).toEqual(known)
  const abroad = { network: '203.0.113.0/24', country: 'NZ' }
  expect(await sightings.see(ann, abroad)).toEqual({ network: true, country: true })
  expect(await sightings.see(ann, { ...home, country: null })).toEqual(known)
})

it('a country is no news where none was ever said', async () => {
  await sightings.see({ user: 'ann' }, { ...home, country: null })
  expect(await sightings.see({ user: 'ann' }, home)).toEqual(known)
})

it('the places of people and of each of their keys are apart', async () => {
  const there = { network: '203.0.113.0/24', country: null }
  await sightings.see({ user: 'ann' }, home)
  expect(await sightings.see({ user: 'bob' }, there)).toEqual(known)
  expect(await sightings.see({ user: 'ann', key: 'k1' }, there)).toEqual(known)
  expect(await sightings.see({ user: 'ann', key: 'k2' }, home)).toEqual(known)
  expect(await sightings.see({ user: 'ann' }, there)).toEqual({ network: true, country: false })
})

it('twenty are remembered, and that which was not seen for longest is forgotten first', async () => {
  const at = (number: number) => ({ network: `10.0.${number}.0/24`, country: null })
  for (let number = 0; number < 20; number += 1) {
    await sightings.see({ user: 'ann' }, at(number))
    records.pass(day)
  }
  await sightings.see({ user: 'ann' }, at(0))
  expect(await sightings.see({ user: 'ann' }, at(20))).toMatchObject({ network: true })
  expect(await sightings.see({ user: 'ann' }, at(0))).toEqual(known)
  expect(await sightings.see({ user: 'ann' }, at(1))).toMatchObject({ network: true })
})

it('the store holds nothing of them in the clear', async () => {
  await sightings.see({ user: 'ann' }, { network: '192.0.2.0/24', country: 'QX' })
  const found = await records.store.get('sightings', 'ann')
  const kept = [
    JSON.stringify({ ...found, body: null }),
    Buffer.from(found?.body ?? []).toString('latin1'),
  ]
  expect(kept.join('').length).toBeGreaterThan(100)
  expect(leaksIn(Buffer.from(kept.join(''), 'latin1'), ['192.0.2.0', '"QX"'])).toEqual([])
})
