import type { Request } from 'express'
import { hasCode, WaybillError } from '../../shared/errors.ts'
import type { ApiKey, ApiKeys } from '../records/api-keys.ts'
import { isApiKey } from '../records/api-key-text.ts'
import { isWithin } from '../records/networks.ts'
import type { Freezing } from '../run/freezing.ts'
import type { Authenticate } from './authenticate.ts'
import { addressOf, type Gate } from './gate.ts'
import { refusal } from './id-token.ts'
import type { Route } from './route.ts'

/** What it takes to know who asks. */
export interface Knowing {
  readonly authenticate: Authenticate
  /** Absent where no API keys are taken. */
  readonly apiKeys?: Pick<ApiKeys, 'find' | 'notice'>
  readonly freezing?: Pick<Freezing, 'look'>
  /** Absent where nothing is limited or watched. */
  readonly gate?: Gate
}

/**
 * Who asks for a route, by a sign-in token or an API key.
 *
 * @returns our id of the person
 * @throws WaybillError `unauthenticated`; for a key also `forbidden` if it may not do this, and `frozen`; `rate_limited`
 */
export async function callerOf(request: Request, route: Route, knowing: Knowing): Promise<string> {
  const { gate } = knowing
  const authorization = request.headersDistinct['authorization']
  const given = keyIn(authorization)
  const user =
    given === null
      ? await personOf(request, authorization, knowing)
      : await ownerOf(request, given, route, knowing)
  await gate?.spend('user', user)
  if (route.budget !== undefined) await gate?.spend(route.budget, user)
  return user
}

/** @returns what is given as an API key, whatever it is worth; null for everything else. */
function keyIn(authorization: readonly string[] | undefined): string | null {
  const [value = '', ...more] = authorization ?? []
  return more.length > 0 ? null : (/^Bearer (wbk_.*)$/i.exec(value)?.[1] ?? null)
}

/**
 * A token proves itself: it is checked also where many have failed or ask much, so that nobody is kept out by who shares
 * their address. All sidebars do: what they send comes from a few addresses of Google's.
 * https://developers.google.com/apps-script/reference/url-fetch/url-fetch-app
 */
async function personOf(
  request: Request,
  authorization: readonly string[] | undefined,
  { authenticate, gate }: Knowing,
): Promise<string> {
  try {
    return await authenticate(authorization)
  } catch (error) {
    if (!hasCode(error, 'unauthenticated')) throw error
    await gate?.arrive(request, 'address')
    if (authorization === undefined) throw error
    await gate?.refuseLocked(request, null)
    await gate?.failed(request, null)
    throw error
  }
}

async function ownerOf(
  request: Request,
  given: string,
  route: Route,
  { apiKeys, freezing, gate }: Knowing,
): Promise<string> {
  await gate?.arrive(request, 'address')
  await gate?.refuseLocked(request, given)
  // The store is not asked for what cannot be a key.
  const key = isApiKey(given) ? ((await apiKeys?.find(given)) ?? null) : null
  if (key === null) {
    await gate?.failed(request, null)
    throw refusal()
  }
  await gate?.refuseLockedAccount(request, key.user)
  if (key.from.length > 0 && !isWithin(addressOf(request), key.from)) {
    await gate?.failed(request, key.user)
    throw refusal()
  }
  gate?.proven(request, given)
  await gate?.spend('key', key.id)
  // Where a key is allowed from was said by its owner: nothing there is news.
  if (key.from.length === 0) await gate?.seen(request, { user: key.user, key: key.id })
  requireScope(key, route)
  const frozen = await freezing?.look(key.user)
  if (frozen?.frozen === true)
    throw new WaybillError('frozen', 'Everything is frozen until its owner ends that.')
  await apiKeys?.notice(key)
  return key.user
}

function requireScope({ scopes }: ApiKey, { scope }: Route): void {
  if (scope === undefined || !scopes.includes(scope))
    throw new WaybillError('forbidden', 'This API key may not do that.')
}
