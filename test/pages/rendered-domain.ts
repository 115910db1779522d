import { adminPage, domainPage } from '../../backend/api/pages/admin-pages.ts'
import type { SignedIn } from '../../backend/api/pages/layout.ts'
import { everythingAllowed } from '../../shared/policy.ts'

const at = '2027-01-15T12:10:00.000Z'
const long = 'somebody.with.a.rather.long.name@a-rather-long-domain-name.example.com'
const scope = 'https://www.googleapis.com/auth/drive.readonly'

const missing = { clientId: '108436187203874618203', connected: false }
const steps = { ...missing, scopes: [{ scope, granted: false }] }
const connected = { ...missing, connected: true, scopes: [{ scope, granted: true }] }

const line = {
  v: 1,
  number: 0,
  at,
  actor: 'somebody',
  act: 'account_connected',
  target: null,
  result: 'done',
  sealedHash: '0'.repeat(64),
  detailsHash: '0'.repeat(64),
  prev: null,
} as const

/** What an administrator sees of a domain: of one that is new, and of one with many people and a narrow policy. */
export function domainStates(signedIn: SignedIn, locale: string): Readonly<Record<string, string>> {
  const few = { version: 0, policy: everythingAllowed, domains: ['example.com'], frozenSince: null }
  const nobody = { people: [], next: null }
  const noLog = { lines: [], next: null }
  const policy = {
    ...everythingAllowed,
    destinations: ['dropbox'],
    places: [{ provider: 'dropbox', account: { domain: 'example.com' }, folder: '/Backups' }],
    personalAccounts: false,
    wholeDrive: { people: [long] },
  } as const
  const people = Array.from({ length: 30 }, (_, number) => ({
    user: `u-${number}`,
    address: number === 3 ? null : `${number}.${long}`,
    connections: number,
    jobs: number * 1000,
    frozen: number % 7 === 0,
  }))
  const entries = Array.from({ length: 20 }, (_, number) => ({
    user: number % 5 === 0 ? null : `u-${number}`,
    entry: { line: { ...line, number }, sealed: null, details: null },
  }))
  const many = {
    delegation: connected,
    policy: { ...few, version: 3, policy, frozenSince: at },
    people: { people, next: 'u-29' },
    audit: { lines: entries, next: 20 },
  }
  return {
    'a domain without a service account': domainPage(
      { clientId: null, scopes: [], connected: false },
      signedIn,
    ),
    'a domain that is not connected': domainPage(steps, signedIn),
    'a new domain': adminPage(
      { delegation: steps, policy: few, people: nobody, audit: noLog },
      signedIn,
      locale,
    ),
    'a domain of many people': adminPage(many, signedIn, locale),
  }
}
