import { z } from 'zod'
import { safeUrl } from './safe-url.ts'

/** Where Waybill's things are in Google Cloud. */
export interface GoogleCloudSettings {
  readonly project: string
  /** Firestore databases: of everything but keys, and of keys. */
  readonly database: string
  readonly keysDatabase: string
  /** `projects/…/locations/…/keyRings/…/cryptoKeys/…` */
  readonly kmsKey: string
  /** `projects/…/cryptoKeys/…/cryptoKeyVersions/…` */
  readonly signingKey: string
  /** `projects/…/locations/…/queues/…` */
  readonly queue: string
  readonly runner: {
    /** Without a path; the queue calls it. */
    readonly url: string
    /** The service account that the queue and the scheduler call the runner as. */
    readonly account: string
    /** Those that the runner listens to: that one, and others that operators call it as. */
    readonly accounts: readonly string[]
    /** What their tokens are made out to. */
    readonly audience: string
  }
  /** `host:port` of a Cloud KMS and a Cloud Tasks on this machine; null for Google's. */
  readonly kmsEndpoint: string | null
  readonly tasksEndpoint: string | null
}

const email = /^[a-z][a-z0-9-]{4,28}@[a-z0-9.-]+\.iam\.gserviceaccount\.com$/
const database = /^(?:\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$/
const place = 'projects\\/[^/\\s]+\\/locations\\/[^/\\s]+'

const named = (what: string, pattern: RegExp) =>
  z.string({ error: `set it to ${what}` }).regex(pattern, `set it to ${what}`)

// An endpoint in the clear is for what runs on this machine.
const endpoint = named(
  'host:port of a stand-in on this machine, or leave it out for Google’s',
  /^(?:localhost|127(?:\.\d{1,3}){3}):\d{1,5}$/,
).optional()

const variables = z.object({
  GOOGLE_CLOUD_PROJECT: named('the id of your Google Cloud project', /^[a-z][a-z0-9.:-]{4,62}$/),
  WAYBILL_DATABASE: named('the id of a Firestore database', database).default('(default)'),
  WAYBILL_KEYS_DATABASE: named(
    'the id of another Firestore database, for wrapped keys only',
    database,
  ).default('waybill-keys'),
  WAYBILL_KMS_KEY: named(
    'projects/…/locations/…/keyRings/…/cryptoKeys/…',
    new RegExp(`^${place}\\/keyRings\\/[\\w-]{1,63}\\/cryptoKeys\\/[\\w-]{1,63}$`),
  ),
  WAYBILL_SIGNING_KEY: named(
    'projects/…/locations/…/keyRings/…/cryptoKeys/…/cryptoKeyVersions/…',
    new RegExp(
      `^${place}\\/keyRings\\/[\\w-]{1,63}\\/cryptoKeys\\/[\\w-]{1,63}\\/cryptoKeyVersions\\/[1-9]\\d*$`,
    ),
  ),
  WAYBILL_TASKS_QUEUE: named(
    'projects/…/locations/…/queues/…',
    new RegExp(`^${place}\\/queues\\/[A-Za-z0-9-]{1,100}$`),
  ),
  WAYBILL_TASKS_ACCOUNT: named('the e-mail address of the queue’s service account', email),
  WAYBILL_TASKS_AUDIENCE: named('a short fixed text', /^[\w.:/-]{1,200}$/).default(
    'waybill-runner',
  ),
  // A path would be in every task's address, where the runner does not listen.
  WAYBILL_RUNNER_URL: safeUrl(': that of the runner’s service, without a path').refine(
    (url) => URL.parse(url)?.pathname === '/',
    { error: 'set it to the URL of the runner’s service alone, without a path' },
  ),
  WAYBILL_KMS_ENDPOINT: endpoint,
  WAYBILL_TASKS_ENDPOINT: endpoint,
})

/** The settings that only Google Cloud needs, by the names of their variables. */
export const googleCloudVariables = variables.refine(
  // Whoever may read what is sealed must not find the keys beside it.
  (read) => read.WAYBILL_KEYS_DATABASE !== read.WAYBILL_DATABASE,
  {
    path: ['WAYBILL_KEYS_DATABASE'],
    error: 'set it to another Firestore database than WAYBILL_DATABASE, for wrapped keys only',
  },
)

/** @returns the settings, from variables that have been checked. */
export function googleCloudFrom(read: z.output<typeof googleCloudVariables>): GoogleCloudSettings {
  return {
    project: read.GOOGLE_CLOUD_PROJECT,
    database: read.WAYBILL_DATABASE,
    keysDatabase: read.WAYBILL_KEYS_DATABASE,
    kmsKey: read.WAYBILL_KMS_KEY,
    signingKey: read.WAYBILL_SIGNING_KEY,
    queue: read.WAYBILL_TASKS_QUEUE,
    runner: {
      url: read.WAYBILL_RUNNER_URL,
      account: read.WAYBILL_TASKS_ACCOUNT,
      accounts: [read.WAYBILL_TASKS_ACCOUNT],
      audience: read.WAYBILL_TASKS_AUDIENCE,
    },
    kmsEndpoint: read.WAYBILL_KMS_ENDPOINT ?? null,
    tasksEndpoint: read.WAYBILL_TASKS_ENDPOINT ?? null,
  }
}
