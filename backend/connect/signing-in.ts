import { WaybillError } from '../../shared/errors.ts'
import { newSecret } from '../records/hashed-secret.ts'
import type { Owners } from '../records/owner.ts'
import { keepSignIn, takeSignIn } from '../records/sign-ins.ts'
import type { Store } from '../store/store.ts'
import { askedAt } from './asked.ts'
import { processAuthorization, requestAuthorization } from './authorize.ts'
import { callbackUrl } from './connecting.ts'
import type { Departure } from './connecting.ts'
import type { OAuthEndpoint } from './oauth-server.ts'

const PATIENCE_MS = 30_000

/** Signing in to Waybill itself, with Google (https://developers.google.com/identity/openid-connect/openid-connect). */
export interface SigningIn {
  /** @param ticket where to go on afterwards, if somewhere */
  begin(ticket: string | null): Promise<Departure>
  /**
   * What the browser came back with: an ID token that is good for this sign-in, whoever it is of. Null if the person said
   * no. Throws `not_found` and `invalid_request` for anything but the answer to a sign-in that this browser has begun.
   */
  finish(
    callback: URLSearchParams,
    browser: unknown,
  ): Promise<{
    readonly idToken: string
    readonly email: string | null
    readonly ticket: string | null
  } | null>
}

/** @returns signing in at `endpoint`, which is Google's. */
export function createSigningIn({
  store,
  owners,
  endpoint,
  publicUrl,
  now,
  random,
}: {
  readonly store: Store
  readonly owners: Owners
  readonly endpoint: OAuthEndpoint
  readonly publicUrl: () => string
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}): SigningIn {
  const asked = askedAt('google', null)
  return {
    begin: async (ticket) => {
      const departure = { state: newSecret(random), browser: newSecret(random) }
      const details = {
        verifier: newSecret(random),
        nonce: newSecret(random),
        redirectUri: callbackUrl(publicUrl(), 'google'),
        tier: null,
        ticket,
      }
      const signIn = { at: 'google', user: null, details } as const
      await keepSignIn({ store, owners }, signIn, { ...departure, now: now() })
      const secrets = { ...details, state: departure.state }
      return { url: await requestAuthorization(endpoint, asked, secrets), ...departure }
    },
    finish: async (callback, browser) => {
      const states = callback.getAll('state')
      const state = states.length === 1 ? states[0] : undefined
      const { details } = await takeSignIn({ store, owners }, 'google', state, browser)
      const answer = await processAuthorization(
        endpoint,
        asked,
        { ...details, state: state ?? '' },
        callback,
        AbortSignal.timeout(PATIENCE_MS),
      )
      if (answer.kind !== 'allowed') return null
      const { idToken, email } = answer.authorization
      if (idToken === null)
        throw new WaybillError('invalid_request', 'The provider did not say who signed in.')
      return { idToken, email, ticket: details.ticket }
    },
  }
}
