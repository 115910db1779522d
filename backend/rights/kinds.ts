import { unlessLost } from '../records/owner.ts'
import type { Owner } from '../records/owner.ts'
import type { Credentials } from '../records/connections.ts'
import type { Intent, Upload } from '../records/transfers.ts'
import type { Row } from '../records/row.ts'
import type { Collection, Document } from '../store/store.ts'

/** What is kept about people in a collection, as they are given it; or why not. */
export type Kind =
  | {
      readonly name: string
      readonly about: string
      /** How a person's documents are found. */
      readonly by: 'user' | 'job' | 'actor' | 'key'
      /** One line each. Names what it gives, so that nothing slips out with it. */
      readonly lines: (owner: Owner, document: Document) => readonly unknown[]
    }
  | { readonly leftOut: string }

const time = (value: unknown): string | null =>
  typeof value === 'number' ? new Date(value).toISOString() : null

/** One for each collection: without it a new collection does not compile. */
export const kinds: Readonly<Record<Collection, Kind>> = {
  keys: {
    leftOut: 'The wrapped key that your records are sealed with: a secret of this installation.',
  },
  connections: {
    name: 'connection',
    about: 'An account that you have connected, without its tokens.',
    by: 'user',
    lines: (owner, { key, fields, body }) => {
      const read = owner.open<Credentials>('connections', key, body)
      const { accountId, label, subject = null, tier = null, accessExpiresAt } = read
      const { provider, state, createdAt } = fields
      const times = { createdAt: time(createdAt), accessExpiresAt: time(accessExpiresAt) }
      return [{ id: key, provider, state, accountId, label, subject, tier, ...times }]
    },
  },
  jobs: {
    name: 'job',
    about: 'What you asked for, with its schedule, and what is carried over from run to run.',
    by: 'user',
    lines: (owner, { key, fields, body }) => {
      const { createdAt, dueAt, latest } = fields
      const opened = owner.open<object>('jobs', key, body)
      return [
        { id: key, createdAt: time(createdAt), nextRunAt: time(dueAt), runs: latest, ...opened },
      ]
    },
  },
  runs: {
    name: 'run',
    about: 'An execution of a job: its state and counts, and where it stands.',
    by: 'job',
    lines: (owner, { key, fields, body }) => [
      { id: key, ...fields, checkpoint: body === null ? null : owner.open('runs', key, body) },
    ],
  },
  due: { leftOut: 'When jobs and runs are due: their own lines say the same.' },
  manifest: {
    name: 'manifestRow',
    about: 'An item that waits for something in a job.',
    by: 'job',
    lines: (owner, { key, body }) =>
      owner.open<readonly Row[]>('manifest', key, body).map((row) => ({ job: jobIn(key), ...row })),
  },
  ledger: {
    name: 'ledgerRow',
    about: 'An item that a job has finished with, and where its copy is.',
    by: 'job',
    lines: (owner, { key, body }) => [{ job: jobIn(key), ...owner.open<Row>('ledger', key, body) }],
  },
  transfers: {
    name: 'transfer',
    about:
      'How far a large file has come, without the upload session, which is as good as a token; or what is being committed.',
    by: 'job',
    lines: (owner, { key, fields: { run }, body }) => {
      const opened = owner.openResume<Upload | readonly Intent[]>(key, body)
      if (!('offset' in opened)) return opened.map((intent) => ({ run, ...intent }))
      return [{ run, offset: opened.offset, version: opened.version }]
    },
  },
  receipts: {
    name: 'receiptLine',
    about: 'A line of the receipt of a run.',
    by: 'job',
    lines: (owner, { key, fields: { run }, body }) =>
      owner
        .open<{ readonly lines: readonly string[] }>('receipts', key, body)
        .lines.map((text) => ({ run, line: JSON.parse(text) as unknown })),
  },
  tickets: {
    name: 'link',
    about: 'A link to connect an account that you have asked for and not used.',
    by: 'user',
    lines: (_, { fields: { provider, tier }, expiresAt }) => [
      { provider, tier, until: time(expiresAt) },
    ],
  },
  signIns: {
    name: 'signIn',
    about: 'That you are at a provider to connect an account, and are expected back.',
    by: 'user',
    lines: (_, { fields: { at }, expiresAt }) => [{ at, until: time(expiresAt) }],
  },
  sessions: {
    name: 'session',
    about: 'A browser in which you are signed in.',
    by: 'user',
    lines: (owner, { key, fields: { createdAt, seenAt }, body, expiresAt }) => {
      const times = { createdAt: time(createdAt), seenAt: time(seenAt), until: time(expiresAt) }
      return [{ label: owner.open<string | null>('sessions', key, body), ...times }]
    },
  },
  apiKeys: {
    name: 'apiKey',
    about: 'A key of the API that you have made, without the key itself, which is kept nowhere.',
    by: 'user',
    lines: (owner, { key, fields, body, expiresAt }) => {
      const { id, scopes, createdAt, usedAt } = fields
      const { name, from } = owner.open<{
        readonly name: string
        readonly from: readonly string[]
      }>('apiKeys', key, body)
      const times = { createdAt: time(createdAt), usedAt: time(usedAt), until: time(expiresAt) }
      return [{ id, name, scopes, from, ...times }]
    },
  },
  sightings: {
    name: 'sighting',
    about: 'The networks and countries that you, or one of your API keys, have come from.',
    by: 'user',
    lines: (owner, { key, body }) => {
      const { networks, countries } = owner.open<
        Readonly<Record<'networks' | 'countries', Readonly<Record<string, number>>>>
      >('sightings', key, body)
      const [, apiKey = null] = key.split('.')
      return [{ apiKey, networks: placesOf(networks), countries: placesOf(countries) }]
    },
  },
  picks: {
    name: 'pick',
    about: 'Files that you have picked in a Google Drive, until a job takes them.',
    by: 'user',
    lines: (owner, { key, fields: { pickedAt }, body, expiresAt }) => {
      const ids = owner.open<readonly string[]>('picks', key, body)
      return [{ connection: key, ids, pickedAt: time(pickedAt), until: time(expiresAt) }]
    },
  },
  googleEvents: { leftOut: 'That a report of Google’s has come already: a hash of its number.' },
  freezes: {
    name: 'freeze',
    about: 'That you have frozen everything, and since when.',
    by: 'key',
    lines: (_, { fields: { since } }) => [{ since: time(since) }],
  },
  revocations: {
    name: 'revocation',
    about: 'An account that you have disconnected and whose provider could not be told yet.',
    by: 'user',
    lines: (_, { key, fields: { provider, until, nextAt, attempts } }) => [
      { id: key, provider, until: time(until), nextAt: time(nextAt), attempts },
    ],
  },
  erasures: {
    leftOut:
      'The hash of a code that you may have asked for, and of an erasure under way how far it has come.',
  },
  audit: {
    name: 'act',
    about: 'Something that you did, as the audit log has it; its number is null for a minute.',
    by: 'actor',
    lines: (owner, { key, fields: { at, act, result, number = null }, body }) => {
      const details: unknown = body === null ? null : JSON.parse(owner.openAct(key, body))
      return [{ at: time(at), act, result, number, details }]
    },
  },
  tenants: { leftOut: 'What a domain allows its people: its administrators have it.' },
  aliases: { leftOut: 'Where blinded names of domains lead: nothing about anybody in them.' },
  people: {
    name: 'person',
    about: 'What Google has said of you when you last came.',
    by: 'key',
    lines: (owner, { key, fields: { tenant }, body }) => [
      { id: key, tenant, ...owner.open<object>('people', key, body) },
    ],
  },
  heads: { leftOut: 'Signatures over audit logs: hashes that say nothing about anybody.' },
}

/** @returns the lines of a document; null instead if the keys to it are lost. */
export function linesOf(
  { lines }: Extract<Kind, { readonly name: string }>,
  owner: Owner,
  document: Document,
): readonly unknown[] {
  return unlessLost(() => lines(owner, document)) ?? [null]
}

function placesOf(seen: Readonly<Record<string, number>>): readonly unknown[] {
  return Object.entries(seen).map(([place, at]) => ({ place, lastSeenAt: time(at) }))
}

/** Keys begin with the job's, which has no dot. */
function jobIn(key: string): string {
  return key.slice(0, key.indexOf('.'))
}
