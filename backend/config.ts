import { z } from 'zod'
import { WaybillError } from '../shared/errors.ts'
import { delegationFrom, delegationVariables } from './config/delegation.ts'
import type { DelegationSettings } from './config/delegation.ts'
import { googleCloudFrom, googleCloudVariables } from './config/google-cloud.ts'
import type { GoogleCloudSettings } from './config/google-cloud.ts'
import { boxFrom, microsoftFrom, moreProviderVariables } from './config/more-providers.ts'
import type { BoxSettings, MicrosoftSettings } from './config/more-providers.ts'
import { protectionFrom, protectionVariables } from './config/protection.ts'
import type { ProtectionSettings } from './config/protection.ts'
import { pageSettingsFrom, pageVariables } from './config/page-settings.ts'
import type { PageSettings } from './config/page-settings.ts'
import { safeUrl } from './config/safe-url.ts'
import { logLevels, type LogLevel } from './log.ts'

export interface Settings {
  readonly host: string
  readonly port: number
  /** The name of this installation: what is sealed in one cannot be opened in another. */
  readonly environment: string
  /** What this process serves: the API, what only the queue calls, or both. */
  readonly role: (typeof roles)[number]
  /** Null on one machine. */
  readonly googleCloud: GoogleCloudSettings | null
  /** Paths of the store's file and of the wallet's, on one machine. */
  readonly store: string
  readonly wallet: string
  /** OAuth client ids whose sign-in tokens the API takes, and the Workspace domains it admits (none: all). */
  readonly audiences: readonly string[]
  readonly hostedDomains: readonly string[]
  /** Where browsers find this Waybill, without a slash at the end; null on one machine for `localhost` at its port. */
  readonly publicUrl: string | null
  /** Whether a Google Drive may be connected as a whole, and not only with picked files. */
  readonly wholeDrive: boolean
  readonly protection: ProtectionSettings
  /** The service account that domains delegate to; null without one. */
  readonly delegation: DelegationSettings | null
  readonly logLevel: LogLevel
  /** An OpenTelemetry collector; null sends no metrics. */
  readonly metricsUrl: string | null
  readonly google: {
    readonly issuers: readonly string[]
    readonly jwksUrl: string
    readonly apiUrl: string
    readonly authorizeUrl: string
    readonly tokenUrl: string
    readonly revokeUrl: string
    readonly directoryUrl: string
    readonly clientId: string
    readonly clientSecret: string
  }
  readonly dropbox: {
    readonly apiUrl: string
    readonly contentUrl: string
    readonly authorizeUrl: string
    readonly tokenUrl: string
    readonly appKey: string
    readonly appSecret: string
  }
  /** Null where this installation has no client. */
  readonly box: BoxSettings | null
  readonly microsoft: MicrosoftSettings | null
  readonly pages: PageSettings
}

const roles = ['all', 'api', 'runner'] as const
const platforms = ['one-machine', 'google-cloud'] as const
const switched = ['off', 'on'] as const

const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `set it to one of ${values.join(', ')}` }).default(values[0])

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
  safeUrl(', or leave it out for the real provider').default(standard)

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
  WAYBILL_PLATFORM: oneOf(platforms),
  WAYBILL_ROLE: oneOf(roles),
  WAYBILL_STORE: text('the path of the store').default('./waybill.db'),
  WAYBILL_WALLET: text('the path of the wallet').default('./wallet.age'),
  WAYBILL_AUDIENCES: list('a comma-separated list of OAuth client ids').optional(),
  WAYBILL_HOSTED_DOMAINS: list('a comma-separated list of Workspace domains').optional(),
  // A path would be in every address that is registered at a provider.
  PUBLIC_URL: safeUrl(' at which browsers find this Waybill')
    .refine((value) => URL.parse(value)?.pathname === '/', {
      error: 'set it to the URL at which browsers find this Waybill, without a path',
    })
    .optional(),
  WAYBILL_WHOLE_DRIVE: oneOf(switched),
  LOG_LEVEL: z
    .enum(logLevels, { error: `set it to one of ${logLevels.join(', ')}` })
    .default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: safeUrl(' of an OpenTelemetry collector').optional(),
  GOOGLE_ISSUERS: list('a comma-separated list of issuers').default([
    'https://accounts.google.com',
    'accounts.google.com',
  ]),
  GOOGLE_JWKS_URL: url('https://www.googleapis.com/oauth2/v3/certs'),
  GOOGLE_API_URL: url('https://www.googleapis.com'),
  GOOGLE_AUTHORIZE_URL: url('https://accounts.google.com/o/oauth2/v2/auth'),
  GOOGLE_TOKEN_URL: url('https://oauth2.googleapis.com/token'),
  GOOGLE_REVOKE_URL: url('https://oauth2.googleapis.com/revoke'),
  GOOGLE_DIRECTORY_URL: url('https://admin.googleapis.com'),
  GOOGLE_CLIENT_ID: text('the client id from the Google Cloud console'),
  GOOGLE_CLIENT_SECRET: text('the client secret from the Google Cloud console'),
  DROPBOX_API_URL: url('https://api.dropboxapi.com'),
  DROPBOX_CONTENT_URL: url('https://content.dropboxapi.com'),
  DROPBOX_AUTHORIZE_URL: url('https://www.dropbox.com/oauth2/authorize'),
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
  const variables = Object.fromEntries(set)
  const base = settings.safeParse(variables)
  const isCloud = variables['WAYBILL_PLATFORM'] === 'google-cloud'
  const cloud = isCloud ? googleCloudVariables.safeParse(variables) : null
  const more = moreProviderVariables.safeParse(variables)
  const protection = protectionVariables.safeParse(variables)
  const pages = pageVariables.safeParse(variables)
  const delegating = delegationVariables.safeParse(variables)
  const issues = [base, cloud, more, protection, pages, delegating].flatMap(
    (each) => each?.error?.issues ?? [],
  )
  const advice = issues.map((issue) => `  ${issue.path[0]?.toString()}: ${issue.message}`)
  // Google's clients would write whole requests into the log, with tokens and keys in them.
  if (variables['GOOGLE_SDK_NODE_LOGGING'] !== undefined)
    advice.push('  GOOGLE_SDK_NODE_LOGGING: leave it out, it would write secrets into the log')
  if (isCloud && variables['PUBLIC_URL'] === undefined)
    advice.push('  PUBLIC_URL: set it to the URL at which browsers find this Waybill')
  if (!isCloud && base.data !== undefined && base.data.WAYBILL_ROLE !== 'all')
    advice.push('  WAYBILL_ROLE: leave it out, on one machine there is only one process')
  const isWrong = !more.success || !pages.success || !delegating.success || cloud?.success === false
  if (!base.success || !protection.success || isWrong || advice.length > 0)
    throw new WaybillError(
      'settings_invalid',
      ['Some settings are missing or wrong:', ...new Set(advice)].join('\n'),
    )
  const read = base.data
  return {
    host: read.HOST,
    port: read.PORT,
    environment: read.WAYBILL_ENV,
    role: read.WAYBILL_ROLE,
    googleCloud: cloud === null ? null : googleCloudFrom(cloud.data),
    store: read.WAYBILL_STORE,
    wallet: read.WAYBILL_WALLET,
    audiences: read.WAYBILL_AUDIENCES ?? [read.GOOGLE_CLIENT_ID],
    hostedDomains: read.WAYBILL_HOSTED_DOMAINS ?? [],
    publicUrl: read.PUBLIC_URL ?? null,
    wholeDrive: read.WAYBILL_WHOLE_DRIVE === 'on',
    protection: protectionFrom(protection.data),
    delegation: delegationFrom(delegating.data),
    logLevel: read.LOG_LEVEL,
    metricsUrl: read.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
    google: {
      issuers: read.GOOGLE_ISSUERS,
      jwksUrl: read.GOOGLE_JWKS_URL,
      apiUrl: read.GOOGLE_API_URL,
      authorizeUrl: read.GOOGLE_AUTHORIZE_URL,
      tokenUrl: read.GOOGLE_TOKEN_URL,
      revokeUrl: read.GOOGLE_REVOKE_URL,
      directoryUrl: read.GOOGLE_DIRECTORY_URL,
      clientId: read.GOOGLE_CLIENT_ID,
      clientSecret: read.GOOGLE_CLIENT_SECRET,
    },
    dropbox: {
      apiUrl: read.DROPBOX_API_URL,
      contentUrl: read.DROPBOX_CONTENT_URL,
      authorizeUrl: read.DROPBOX_AUTHORIZE_URL,
      tokenUrl: read.DROPBOX_TOKEN_URL,
      appKey: read.DROPBOX_APP_KEY,
      appSecret: read.DROPBOX_APP_SECRET,
    },
    box: boxFrom(more.data),
    microsoft: microsoftFrom(more.data),
    pages: pageSettingsFrom(pages.data),
  }
}
