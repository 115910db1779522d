import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { accountProviders } from '../../shared/account.ts'
import { decide, domainOf, everythingAllowed, refusalWords } from '../../shared/policy.ts'
import type { Asked, Policy } from '../../shared/policy.ts'

const asked = {
  person: 'ann',
  domains: ['example.com', 'new.example'],
  source: { provider: 'google-drive', whole: true },
  destination: {
    provider: 'dropbox',
    account: { id: 'dbid:1', domain: 'example.com' },
    folder: '/Backup/Drive',
  },
} as const satisfies Asked

const to = (id: string, domain: string | null): Asked => ({
  ...asked,
  destination: { ...asked.destination, account: { id, domain } },
})
const foreign = to('dbid:2', 'gmail.com')
const unknown = to('dbid:3', null)
const picked: Asked = { ...asked, source: { provider: 'google-drive', whole: false } }
const place = (account: object, folder: string | null = null) => ({
  places: [{ provider: 'dropbox', account, folder }],
})
const own = { domain: 'Example.com' }

describe('what is asked', () => {
  it.each<[string, object, Asked, string]>([
    ['anything, where nobody said anything', {}, foreign, 'allowed'],
    ['a source that is not among them', { sources: ['box'] }, asked, 'source_cloud'],
    ['a destination that is not among them', { destinations: ['box'] }, asked, 'destination_cloud'],
    ['no source at all', { sources: [] }, asked, 'source_cloud'],
    ['an account of one’s own domain', { personalAccounts: false }, asked, 'allowed'],
    ['somebody else’s account', { personalAccounts: false }, foreign, 'personal_account'],
    ['an account without an address', { personalAccounts: false }, unknown, 'personal_account'],
    ['a whole Drive, for everybody', { wholeDrive: 'everybody' }, asked, 'allowed'],
    ['a whole Drive, for nobody', { wholeDrive: 'nobody' }, asked, 'whole_drive'],
    ['picked files, all the same', { wholeDrive: 'nobody' }, picked, 'allowed'],
    ['a whole Drive, for this one', { wholeDrive: { people: ['bob', 'ann'] } }, asked, 'allowed'],
    ['a whole Drive, for another', { wholeDrive: { people: ['bob'] } }, asked, 'whole_drive'],
    ['an account of the named domain', place(own), asked, 'allowed'],
    ['an account of no named domain', place(own), foreign, 'destination_account'],
    ['nowhere at all', { places: [] }, asked, 'destination_account'],
    ['the very account', place({ id: 'dbid:1' }), asked, 'allowed'],
    ['another account', place({ id: 'dbid:1' }), foreign, 'destination_account'],
    ['below the folder', place(own, '/backup'), asked, 'allowed'],
    ['the folder itself', place(own, '/Backup/Drive'), asked, 'allowed'],
    ['above the folder', place(own, '/Backup/Drive/x'), asked, 'destination_folder'],
    ['a name that begins the same', place(own, '/Back'), asked, 'destination_folder'],
  ])('%s', (_what, parts, what, outcome) => {
    const decision = decide({ ...everythingAllowed, ...parts }, what)
    expect(decision.allowed ? 'allowed' : decision.reason).toBe(outcome)
  })

  it('is refused in words', () => {
    expect(refusalWords('destination_cloud')).toBe('nothing may be copied to this cloud')
  })
})

const cloud = fc.constantFrom(...accountProviders)
const domain = fc.constantFrom('example.com', 'gmail.com', 'other.example')
const folder = fc.constantFrom('/a', '/a/b', '/ab', '/A', '/c')
const anyPlace = fc.record({
  provider: cloud,
  account: fc.oneof(fc.record({ domain }), fc.record({ id: fc.constantFrom('1', '2') })),
  folder: fc.option(folder),
})
const anyPolicy: fc.Arbitrary<Policy> = fc.record({
  sources: fc.uniqueArray(cloud),
  destinations: fc.uniqueArray(cloud),
  places: fc.option(fc.array(anyPlace, { maxLength: 3 })),
  personalAccounts: fc.boolean(),
  wholeDrive: fc.oneof(
    fc.constantFrom('everybody' as const, 'nobody' as const),
    fc.record({ people: fc.subarray(['ann', 'bob']) }),
  ),
})
const anyAsked = fc.record({
  person: fc.constantFrom('ann', 'bob', 'carl'),
  domains: fc.subarray(['example.com', 'other.example']),
  source: fc.record({ provider: cloud, whole: fc.boolean() }),
  destination: fc.record({
    provider: cloud,
    account: fc.record({ id: fc.constantFrom('1', '2', '3'), domain: fc.option(domain) }),
    folder,
  }),
})

type Whole = typeof anyAsked extends fc.Arbitrary<infer T> ? T : never

/** @returns whether it holds of any policy and anything that is asked. */
function isTrue(holds: (policy: Policy, wish: Whole) => boolean): boolean {
  const { failed } = fc.check(fc.property(anyPolicy, anyAsked, holds), { numRuns: 2_000 })
  return !failed
}

const allows = (policy: Policy, wish: Asked): boolean => decide(policy, wish).allowed

describe('every policy', () => {
  it('allows no cloud that it does not name', () => {
    const holds = isTrue(
      (policy, wish) =>
        !allows(policy, wish) ||
        (policy.sources.includes(wish.source.provider) &&
          policy.destinations.includes(wish.destination.provider)),
    )
    expect(holds).toBe(true)
  })

  it('never refuses a part of what it allows: what is judged early is judged again', () => {
    const holds = isTrue((policy, wish) => {
      const { source, destination, ...who } = wish
      const { provider, account } = destination
      const parts: readonly Asked[] = [
        who,
        { ...who, source },
        { ...who, destination: { provider } },
        { ...who, destination: { provider, account } },
        { ...who, destination },
      ]
      return !allows(policy, wish) || parts.every((part) => allows(policy, part))
    })
    expect(holds).toBe(true)
  })

  it('allows no more when something is taken out of it', () => {
    const holds = isTrue((policy, wish) => {
      const less: readonly Policy[] = [
        { ...policy, sources: policy.sources.slice(1) },
        { ...policy, destinations: policy.destinations.slice(1) },
        { ...policy, places: (policy.places ?? []).slice(1) },
        { ...policy, personalAccounts: false },
        { ...policy, wholeDrive: 'nobody' },
      ]
      return allows(policy, wish) || less.every((each) => !allows(each, wish))
    })
    expect(holds).toBe(true)
  })
})

it('the domain of an address is what stands behind its only @', () => {
  expect(domainOf('Ann@Example.COM')).toBe('example.com')
  for (const not of ['ann', 'a@b@example.com', '@example.com', 'ann@', 'a b@example.com'])
    expect([not, domainOf(not)]).toEqual([not, null])
})
