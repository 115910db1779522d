import type { Answer, Call } from '../call.ts'
import { createCallLog } from '../call-log.ts'
import { createFaults } from '../faults.ts'
import { serve } from '../http-server.ts'
import { createQuota } from '../quota.ts'
import type { QuotaOptions } from '../quota.ts'
import type { CloudOptions, SimulatedCloud } from '../simulated-cloud.ts'
import { createTokens } from '../tokens.ts'
import { driveEdits } from './edits.ts'
import type { DriveEdits } from './edits.ts'
import { dumpDrive } from './dump.ts'
import { googleError } from './errors.ts'
import { oauthRoutes } from './oauth-routes.ts'
import { readRoutes } from './read-routes.ts'
import { createDriveState } from './state.ts'
import { writeRoutes } from './write-routes.ts'

/** What a simulated Drive is started with. */
export interface DriveOptions extends CloudOptions {
  /** Google's id (`sub`) of the person whose Drive it is. */
  readonly sub?: string
  readonly email?: string
  /** Calls over it are refused with userRateLimitExceeded or rateLimitExceeded; no limit unless given. */
  readonly quota?: QuotaOptions
  /** True when no two exports of a document have the same bytes, as in the real Drive. */
  readonly unstableExports?: boolean
}

/** A simulated Google Drive with its token endpoint. */
export type SimulatedDrive = SimulatedCloud & DriveEdits

/**
 * Starts a simulated Google Drive v3 with one empty account. Use `url` as the API's root
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

  const tokens = createTokens({
    name: 'google.token',
    path: '/token',
    accountId: options.sub ?? '100000000000000000001',
    email,
    tokenType: 'Bearer',
    lifetimeSeconds: 3599,
    now,
    extra: { scope: 'https://www.googleapis.com/auth/drive' },
    invalidGrant: 'Token has been expired or revoked.',
  })

  function guard(call: Call, units: number): Answer | null {
    const check = tokens.check(call.headers.authorization)
    const place = { location: 'Authorization', locationType: 'header' } as const
    if (check.state === 'missing') return googleError(401, 'required', 'Login Required.', place)
    if (check.state !== 'valid') return googleError(401, 'authError', 'Invalid Credentials', place)
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
    trouble,
    exportSalt: () => (options.unstableExports === true ? String(exports++) : ''),
  }
  const server = await serve({
    port: options.port ?? 0,
    latencyMs: options.latencyMs ?? 0,
    calls,
    faults,
    guard,
    unknownRoute: () => googleError(404, 'notFound', 'Not Found'),
    routes: [
      tokens.route,
      ...oauthRoutes(tokens),
      ...readRoutes(side),
      ...writeRoutes(state, email),
    ],
  })
  return {
    ...edits,
    url: server.url,
    account: tokens.account,
    tokens,
    calls,
    faults,
    setOffline: (offline) => server.setOffline(offline),
    dump: () => dumpDrive(state),
    close: () => server.close(),
  }
}
