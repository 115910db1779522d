import type { Answer, Call, RouteKind } from '../call.ts'
import { createCallLog } from '../call-log.ts'
import { createFaults } from '../faults.ts'
import { serve } from '../http-server.ts'
import { createQuota } from '../quota.ts'
import type { QuotaOptions } from '../quota.ts'
import type { CloudOptions, SimulatedCloud } from '../simulated-cloud.ts'
import { createTokens } from '../tokens.ts'
import { authorizeRoutes } from '../oauth/authorize-routes.ts'
import { createAuthorizationServer } from '../oauth/authorization-server.ts'
import { oauthControl } from '../oauth/control.ts'
import { google } from '../oauth/google.ts'
import { googleRoutes } from '../oauth/google-routes.ts'
import { directoryRoute, insufficientScope } from '../oauth/directory-route.ts'
import { createServiceAccounts, jwtBearer } from '../oauth/service-accounts.ts'
import type { ServiceAccounts } from '../oauth/service-accounts.ts'
import type { SigningKeys } from '../oauth/signing-keys.ts'
import { driveEdits } from './edits.ts'
import type { DriveEdits } from './edits.ts'
import { dumpDrive } from './dump.ts'
import { googleError } from './errors.ts'
import { pickerRoutes } from './picker-routes.ts'
import { readRoutes } from './read-routes.ts'
import { createDriveState } from './state.ts'
import { writeRoutes } from './write-routes.ts'

/** What a simulated Drive is started with. */
export interface DriveOptions extends CloudOptions {
  /** Google's id (`sub`) of the person whose Drive it is. */
  readonly sub?: string
  readonly email?: string
  /** Their Workspace domain; `example.com` unless given, null for a private account. */
  readonly organization?: string | null
  /** Signs ID tokens; keys of its own unless given. */
  readonly keys?: SigningKeys
  /** Calls over it are refused with userRateLimitExceeded or rateLimitExceeded; no limit unless given. */
  readonly quota?: QuotaOptions
  /** True when no two exports of a document have the same bytes, as in the real Drive. */
  readonly unstableExports?: boolean
}

/**
 * A simulated Google Drive, and what else of Google signing in needs. Everybody who signs in has a name and an id of
 * their own; the files are the same for all.
 */
export type SimulatedDrive = SimulatedCloud &
  DriveEdits & { readonly serviceAccounts: ServiceAccounts }

/**
 * Starts a simulated Google Drive v3 with one empty account, and with Google's sign-in. Use `url` as the API's root
 * (googleapis: `rootUrl: url + '/'`) and `url + '/token'` as the token endpoint.
 */
export async function startDrive(options: DriveOptions = {}): Promise<SimulatedDrive> {
  const { now = Date.now, seed = 'drive', email = 'person@example.com' } = options
  const calls = createCallLog()
  const faults = createFaults('google', options.faults)
  const state = createDriveState(seed, now)
  const trouble = { incomplete: 0, epoch: 0 }
  const quota = options.quota === undefined ? null : createQuota(options.quota, now)
  let exports = 0

  const { organization = 'example.com' } = options
  const server = createAuthorizationServer(google, {
    prefix: 'google.token',
    now,
    ...(options.keys === undefined ? {} : { keys: options.keys }),
  })
  const serviceAccounts = createServiceAccounts(server)
  const tokens = createTokens(server, {
    person: {
      id: options.sub ?? '100000000000000000001',
      email,
      name: 'A Person',
      ...(organization === null ? {} : { organization }),
    },
    scopes: ['https://www.googleapis.com/auth/drive'],
    redirectUris: options.redirectUris ?? [],
    further: { [jwtBearer]: serviceAccounts.grant },
  })

  function guard(call: Call, units: number): Answer | null {
    const check = tokens.check(call.headers.authorization)
    const place = { location: 'Authorization', locationType: 'header' } as const
    if (check.state === 'missing') return googleError(401, 'required', 'Login Required.', place)
    if (check.state !== 'valid') return googleError(401, 'authError', 'Invalid Credentials', place)
    if (call.route.startsWith('drive.') && !mayUse(check.scopes, call.kind))
      return insufficientScope()
    if (quota === null || quota.take(check.accountId, units)) return null
    return quota.per === 'user'
      ? googleError(
          403,
          'userRateLimitExceeded',
          'User Rate Limit Exceeded',
          undefined,
          'usageLimits',
        )
      : googleError(403, 'rateLimitExceeded', 'Rate Limit Exceeded', undefined, 'usageLimits')
  }

  const edits = driveEdits(state, trouble)
  const side = {
    state,
    email,
    personOf(call: Call) {
      const check = tokens.check(call.headers.authorization)
      // The guard let it through. A service account that acts for itself is nobody else.
      const id = check.state === 'valid' ? check.accountId : ''
      return server.people.byId(id) ?? { id, email: id }
    },
    trouble,
    exportSalt: () => (options.unstableExports === true ? String(exports++) : ''),
  }
  const served = await serve({
    port: options.port ?? 0,
    latencyMs: options.latencyMs ?? 0,
    calls,
    faults,
    guard,
    unknownRoute: () => googleError(404, 'notFound', 'Not Found'),
    routes: [
      tokens.route,
      ...authorizeRoutes(server),
      ...googleRoutes(server),
      directoryRoute(server),
      ...pickerRoutes(state, (token) => tokens.check(`Bearer ${token}`).state === 'valid'),
      ...readRoutes(side),
      ...writeRoutes(state, email),
    ],
  })
  return {
    ...edits,
    url: served.url,
    account: tokens.account,
    tokens,
    oauth: oauthControl(server, tokens.account.clientId),
    serviceAccounts,
    calls,
    faults,
    setOffline: (offline) => served.setOffline(offline),
    dump: () => dumpDrive(state),
    close: () => served.close(),
  }
}

/** Whether a token is granted enough of the Drive. The per-file access of `drive.file` is not told apart. */
function mayUse(scopes: readonly string[], kind: RouteKind): boolean {
  const drive = 'https://www.googleapis.com/auth/drive'
  return kind === 'write'
    ? scopes.some((scope) => scope === drive || scope === `${drive}.file`)
    : scopes.some((scope) => scope.startsWith(drive))
}
