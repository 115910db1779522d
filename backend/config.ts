import { z } from 'zod'
import { WaybillError } from '../shared/errors.ts'
import { logLevels, type LogLevel } from './log.ts'

export interface Settings {
  readonly host: string
  readonly port: number
  /** The name of this installation: what is sealed in one cannot be opened in another. */
  readonly environment: string
  /** Paths of the store's file and of the wallet's. */
  readonly store: string
  readonly wallet: string
  /** OAuth client ids whose sign-in tokens the API takes, and the Workspace domains it admits (none: all). */
  readonly audiences: readonly string[]
  readonly hostedDomains: readonly string[]
  readonly logLevel: LogLevel
  readonly google: {
    readonly issuers: readonly string[]
    readonly jwksUrl: string
    readonly apiUrl: string
    readonly tokenUrl: string
    readonly clientId: string
    readonly clientSecret: string
  }
  readonly dropbox: {
    readonly apiUrl: string
    readonly contentUrl: string
    readonly tokenUrl: string
    readonly appKey: string
    readonly appSecret: string
  }
}

const text = (what: string) => z.string({ error: `set it to ${what}` }).max(2_000)

const list = (what: string) =>
  text(what)
    .transform((value) =>
      value
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== ''),
    )
    .refine((values) => values.length > 0, `set it to ${what}`)

const url = (standard: string) =>
  z
    .string()
    .default(standard)
    .refine(isSafeUrl, {
      error:
        'set it to an https URL without user, query or fragment (http only for this machine), or leave it out for the real provider',
    })
    .transform((value) => value.replace(/\/+$/, ''))

const settings = z.object({
  HOST: text('an address to listen at').default('127.0.0.1'),
  PORT: z
    .string()
    .default('8080')
    .refine((value) => /^\d{1,5}$/.test(value) && Number(value) <= 65_535, {
      error: 'set it to a port from 0 to 65535, or leave it out for 8080',
    })
    .transform(Number),
  WAYBILL_ENV: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'set it to a short name in lower case, like local')
    .default('local'),
  WAYBILL_STORE: text('the path of the store').default('./waybill.db'),
  WAYBILL_WALLET: text('the path of the wallet').default('./wallet.age'),
  WAYBILL_AUDIENCES: list('a comma-separated list of OAuth client ids').optional(),
  WAYBILL_HOSTED_DOMAINS: list('a comma-separated list of Workspace domains').optional(),
  LOG_LEVEL: z
    .enum(logLevels, { error: `set it to one of ${logLevels.join(', ')}` })
    .default('info'),
  GOOGLE_ISSUERS: list('a comma-separated list of issuers').default([
    'https://accounts.google.com',
    'accounts.google.com',
  ]),
  GOOGLE_JWKS_URL: url('https://www.googleapis.com/oauth2/v3/certs'),
  GOOGLE_API_URL: url('https://www.googleapis.com'),
  GOOGLE_TOKEN_URL: url('https://oauth2.googleapis.com/token'),
  GOOGLE_CLIENT_ID: text('the client id from the Google Cloud console'),
  GOOGLE_CLIENT_SECRET: text('the client secret from the Google Cloud console'),
  DROPBOX_API_URL: url('https://api.dropboxapi.com'),
  DROPBOX_CONTENT_URL: url('https://content.dropboxapi.com'),
  DROPBOX_TOKEN_URL: url('https://api.dropboxapi.com/oauth2/token'),
  DROPBOX_APP_KEY: text('the app key from the Dropbox App Console'),
  DROPBOX_APP_SECRET: text('the app secret from the Dropbox App Console'),
})

/**
 * Reads the settings from environment variables. One that is set to nothing counts as not set.
 *
 * @param environment usually `process.env`
 * @throws WaybillError `settings_invalid` that names every setting that is missing or wrong and says what to do, without
 * any value
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const set = Object.entries(environment).filter(([, value]) => value?.trim())
  const result = settings.safeParse(Object.fromEntries(set))
  if (!result.success) {
    const advice = result.error.issues.map(
      (issue) => `  ${issue.path[0]?.toString()}: ${issue.message}`,
    )
    throw new WaybillError(
      'settings_invalid',
      ['Some settings are missing or wrong:', ...new Set(advice)].join('\n'),
    )
  }
  const read = result.data
  return {
    host: read.HOST,
    port: read.PORT,
    environment: read.WAYBILL_ENV,
    store: read.WAYBILL_STORE,
    wallet: read.WAYBILL_WALLET,
    audiences: read.WAYBILL_AUDIENCES ?? [read.GOOGLE_CLIENT_ID],
    hostedDomains: read.WAYBILL_HOSTED_DOMAINS ?? [],
    logLevel: read.LOG_LEVEL,
    google: {
      issuers: read.GOOGLE_ISSUERS,
      jwksUrl: read.GOOGLE_JWKS_URL,
      apiUrl: read.GOOGLE_API_URL,
      tokenUrl: read.GOOGLE_TOKEN_URL,
      clientId: read.GOOGLE_CLIENT_ID,
      clientSecret: read.GOOGLE_CLIENT_SECRET,
    },
    dropbox: {
      apiUrl: read.DROPBOX_API_URL,
      contentUrl: read.DROPBOX_CONTENT_URL,
      tokenUrl: read.DROPBOX_TOKEN_URL,
      appKey: read.DROPBOX_APP_KEY,
      appSecret: read.DROPBOX_APP_SECRET,
    },
  }
}

/** Tokens travel to these places: in the clear only where nothing leaves the machine. */
function isSafeUrl(value: string): boolean {
  const parsed = URL.parse(value)
  if (parsed === null) return false
  if (parsed.username !== '' || parsed.password !== '') return false
  if (parsed.search !== '' || parsed.hash !== '') return false
  const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(parsed.hostname)
  return parsed.protocol === 'https:' || (parsed.protocol === 'http:' && loopback)
}
