import { createLocalJWKSet, type LocalJWKSet } from 'jose'
import { z } from 'zod'
import { WaybillError } from '../../shared/errors.ts'

const minute = 60_000
const refetchAfter = 5 * minute
const tryAgainAfter = 10_000
const answerWithin = 5_000
const largestAnswer = 64 * 1024

const keySet = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), kid: z.string().exactOptional() })).max(100),
})

/** The public keys that sign-in tokens are signed with. */
export interface TokenKeys {
  /**
   * The key set that holds `kid`. Throws `unauthenticated` if there is no such key, and `unavailable` if the keys cannot
   * be had, so that nobody is told that their token is bad because a server is down.
   */
  holding(kid: string): Promise<LocalJWKSet>
}

interface Held {
  readonly set: LocalJWKSet
  readonly kids: ReadonlySet<string>
  readonly until: number
}

/**
 * Keeps the keys for as long as `Cache-Control` says (1 minute to 24 hours), one request at a time. A key id that is
 * not among them asks again, at most once in 5 minutes: anybody can invent key ids. jose's own remote key set follows
 * neither `Cache-Control` nor a clock of ours.
 *
 * @param options.url where the issuer publishes its keys
 * @param options.clock milliseconds since 1970
 */
export function createGoogleKeys(options: {
  readonly url: string
  readonly fetch: typeof fetch
  readonly clock: () => number
}): TokenKeys {
  let held: Held | null = null
  let asking: Promise<Held> | null = null
  let askedAt = -Infinity
  let failed = false

  function ask(): Promise<Held> {
    asking ??= fetchOnce().finally(() => {
      asking = null
    })
    return asking
  }

  async function fetchOnce(): Promise<Held> {
    askedAt = options.clock()
    try {
      held = await fetchKeys(options.url, options.fetch, askedAt)
      failed = false
      return held
    } catch (cause) {
      failed = true
      throw unavailable(tryAgainAfter, cause)
    }
  }

  async function current(now: number): Promise<Held> {
    if (held !== null && now < held.until) return held
    const wait = askedAt + tryAgainAfter - now
    if (asking === null && failed && wait > 0) throw unavailable(wait)
    return ask()
  }

  return {
    async holding(kid) {
      const now = options.clock()
      let keys = await current(now)
      if (!keys.kids.has(kid) && (asking !== null || now - askedAt >= refetchAfter))
        keys = await ask()
      if (keys.kids.has(kid)) return keys.set
      if (failed) throw unavailable(askedAt + refetchAfter - now)
      throw new WaybillError('unauthenticated', 'Sign in again.')
    },
  }
}

function unavailable(retryAfterMs: number, cause?: unknown): WaybillError {
  return new WaybillError('unavailable', 'Signing in does not work at the moment.', {
    cause,
    retryAfterMs,
  })
}

async function fetchKeys(url: string, send: typeof fetch, now: number): Promise<Held> {
  const response = await send(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(answerWithin),
  })
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel()
    throw new WaybillError('unavailable', 'The key server did not answer with keys.')
  }
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.length
    if (length > largestAnswer)
      throw new WaybillError('unavailable', 'The key server answered with too much.')
    chunks.push(chunk)
  }
  const { keys } = keySet.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')))
  const usable = keys.filter((key) => key.kty === 'RSA' && key.kid !== undefined)
  return {
    set: createLocalJWKSet({ keys: usable }),
    kids: new Set(usable.flatMap((key) => key.kid ?? [])),
    until: now + freshFor(response.headers),
  }
}

/** @returns milliseconds, from `max-age` less `Age` (RFC 9111 §4.2), between 1 minute and 24 hours. */
function freshFor(headers: Headers): number {
  const maxAge = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(headers.get('cache-control') ?? '')?.[1]
  const age = /^\d{1,9}$/.exec(headers.get('age') ?? '')?.[0]
  const fresh = (Number(maxAge ?? 0) - Number(age ?? 0)) * 1_000
  return Math.min(Math.max(fresh, minute), 24 * 60 * minute)
}
