import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { accountProviders } from '../../../shared/account.ts'
import type { AccountProvider } from '../../../shared/account.ts'
import { seededRandom } from '../../clouds/random.ts'
import type { Random } from '../../clouds/random.ts'
import type { Browser } from './browser.ts'
import { startConnecting } from './start-connecting.ts'
import type { ConnectingUnderTest } from './start-connecting.ts'

/*
 * Callbacks that are each one change away from one that would be accepted. That it would be is shown with the very same
 * sign-in, once its forgeries have been refused.
 */

type At = AccountProvider | 'google'

/** What a browser would send back. */
interface Callback {
  readonly at: At
  readonly query: URLSearchParams
  readonly cookies: ReadonlyMap<string, string>
}

type Change = (good: Callback, random: Random) => Callback

const session = '__Host-waybill-session'
const everyAt: readonly At[] = [...accountProviders, 'google']
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('')

let t: ConnectingUnderTest
let ann: Browser
let bob: Browser
beforeAll(async () => {
  t = await startConnecting({ WAYBILL_WHOLE_DRIVE: 'on' })
  ;[ann, bob] = [await t.browserOf(t.ann), await t.browserOf(t.bob)]
})
afterAll(async () => t.close())

const jarOf = (browser: Browser) => browser.cookies.get(new URL(t.url).host) ?? new Map()

/** Goes to a provider as Ann, and stops where the browser is sent back. `turned` is what happens on the way there. */
async function signIn(at: At, turned: (url: URL) => void = () => undefined): Promise<Callback> {
  const browser = ann
  const jar = jarOf(browser)
  for (const name of jar.keys()) if (name !== session) jar.delete(name)
  t.oauth(at).nextVisit({ decision: 'allow', as: t.oauth(at).people()[0]?.id ?? '' })
  const provider = new URL(
    at === 'google' || at === 'google-drive' ? t.clouds.drive.url : t.clouds[at].url,
  ).origin
  const first =
    at === 'google'
      ? await signedOut(browser, async () => browser.open(`${t.url}/connect/accounts`))
      : await browser.open(await t.link(t.ann, at))
  const press = async () => browser.press(first, /Continue to|Sign in with Google/, provider)
  const away = await (at === 'google' ? signedOut(browser, press) : press())
  const url = new URL(away.url)
  turned(url)
  const back = await browser.open(url.href, `${t.url}/oauth/`)
  return { at, query: new URL(back.url).searchParams, cookies: new Map(jar) }
}

/** Looks at a page as if nobody were signed in. */
async function signedOut<T>(browser: Browser, look: () => Promise<T>): Promise<T> {
  const jar = jarOf(browser)
  const mine = jar.get(session)
  jar.delete(session)
  const seen = await look()
  jar.set(session, mine)
  return seen
}

async function send({ at, query, cookies }: Callback) {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await fetch(`${t.url}/oauth/${at}/callback?${query.toString()}`, {
    headers: { cookie },
    redirect: 'manual',
  })
  await response.arrayBuffer()
  return { status: response.status, isAccepted: response.status === 303 }
}

const pick = <T>(random: Random, from: readonly T[]): T => {
  const one = from[Math.floor(random() * from.length)]
  if (one === undefined) throw new Error('nothing to pick from')
  return one
}

/** Another text, one step away. */
function other(text: string, random: Random): string {
  const at = Math.floor(random() * text.length)
  const ways = [
    () => text.slice(0, at) + pick(random, alphabet) + text.slice(at + 1),
    () => text.slice(0, at) + text.slice(at + 1),
    () =>
      text.slice(0, at) + pick(random, [...alphabet, '.', '%', ' ', '\0', 'é']) + text.slice(at),
    () => text.slice(0, at),
    () => text.split('').toReversed().join(''),
    () => text.toLowerCase(),
    () => `${text}${text}`,
    () => `${text}=`,
    () => '',
    () => 'a'.repeat(1_000),
  ]
  for (;;) {
    const changed = pick(random, ways)()
    if (changed !== text) return changed
  }
}

function withQuery(good: Callback, change: (query: URLSearchParams) => void): Callback {
  const query = new URLSearchParams(good.query)
  change(query)
  return { ...good, query }
}

function withCookies(good: Callback, change: (cookies: Map<string, string>) => void): Callback {
  const cookies = new Map(good.cookies)
  change(cookies)
  return { ...good, cookies }
}

const own = (good: Callback): string =>
  [...good.cookies.keys()].find((name) => name !== session) ?? ''
const state = (good: Callback): string => good.query.get('state') ?? ''

/** Leave the sign-in as it is: who sends them lacks the state, the browser's secret, or both. */
const fromOutside: readonly Change[] = [
  (good, random) => withQuery(good, (query) => query.set('state', other(state(good), random))),
  (good) => withQuery(good, (query) => query.delete('state')),
  (good, random) =>
    withQuery(good, (query) => query.append('state', pick(random, [state(good), 'x']))),
  (good, random) =>
    withCookies(good, (cookies) =>
      cookies.set(own(good), encodeURIComponent(other(cookies.get(own(good)) ?? '', random))),
    ),
  (good) => withCookies(good, (cookies) => cookies.delete(own(good))),
  (good, random) =>
    withCookies(good, (cookies) => {
      const value = cookies.get(own(good)) ?? ''
      cookies.delete(own(good))
      cookies.set(own(good).slice(0, -1) + pick(random, ['~', '!', '']), value)
    }),
  (good) =>
    withCookies(good, (cookies) =>
      cookies.set('x', `y; ${own(good)}=${cookies.get(own(good)) ?? ''}`),
    ),
]

const wrongIssuers = ['https://issuer.example', 'https://accounts.google.com.', 'x', 'null']

/** Of these the sign-in is over: who sends them has the state and the browser. */
const fromInside: readonly Change[] = [
  (good, random) =>
    withQuery(good, (query) => query.set('code', other(query.get('code') ?? '', random))),
  (good) => withQuery(good, (query) => query.delete('code')),
  (good) => withQuery(good, (query) => query.append('code', query.get('code') ?? '')),
  (good, random) => withQuery(good, (query) => query.set('iss', pick(random, wrongIssuers))),
  (good, random) => withQuery(good, (query) => query.append('iss', pick(random, wrongIssuers))),
  (good) => withQuery(good, (query) => query.set('error', 'server_error')),
  (good) => withQuery(good, (query) => query.set('id_token', 'x')),
  (good) => withQuery(good, (query) => query.set('response', 'x.y.z')),
  (good, random) => ({
    ...good,
    at: pick(
      random,
      everyAt.filter((each) => each !== good.at),
    ),
  }),
]

/** As `fromInside`, where somebody has to be signed in already. */
const fromAnother: readonly Change[] = [
  (good, random) =>
    withCookies(good, (cookies) => cookies.set(session, other(cookies.get(session) ?? '', random))),
  (good) => withCookies(good, (cookies) => cookies.delete(session)),
  (good) => withCookies(good, (cookies) => cookies.set(session, jarOf(bob).get(session) ?? '')),
]

/** ID tokens that the provider gives beside good tokens. */
const wrongTokens = [
  'oidc.wrong_issuer',
  'oidc.wrong_audience',
  'oidc.wrong_nonce',
  'oidc.expired',
  'oidc.foreign_key',
]

/** Somebody has changed what the browser asks the provider for. */
const turned: Readonly<Record<string, (url: URL) => void>> = {
  challenge: (url) => url.searchParams.set('code_challenge', 'x'.repeat(43)),
  'no challenge': (url) => {
    url.searchParams.delete('code_challenge')
    url.searchParams.delete('code_challenge_method')
  },
  nonce: (url) => url.searchParams.set('nonce', 'x'),
  redirect: (url) =>
    url.searchParams.set('redirect_uri', `${url.searchParams.get('redirect_uri') ?? ''}2`),
}
const hasNonce = (at: At): boolean => at !== 'dropbox' && at !== 'box'

it('of ten thousand callbacks, each one change from a good one, none is accepted and none breaks anything', async () => {
  const random = seededRandom('forged callbacks')
  let cases = 0
  const refused = async (forged: Callback, what: string): Promise<void> => {
    cases += 1
    const { status, isAccepted } = await send(forged)
    const got = [what, forged.at, forged.query.toString(), status]
    expect([...got, isAccepted, status >= 400 && status < 500]).toEqual([...got, false, true])
  }
  const before = await t.waybill.connections.list(t.ann.user)

  for (const at of everyAt) {
    for (let round = 0; round < 4; round += 1) {
      const good = await signIn(at)
      for (let batch = 0; batch < 62; batch += 1)
        await Promise.all(
          Array.from({ length: 8 }, async () =>
            refused(pick(random, fromOutside)(good, random), 'from outside'),
          ),
        )
      // The very same sign-in is good, once.
      const taken = await send(good)
      expect([at, taken]).toEqual([at, { status: 303, isAccepted: true }])
      await refused(good, 'again')
    }
    const changes = [...fromInside, ...(at === 'google' ? [] : fromAnother)]
    for (const [nth, change] of [...changes, ...changes, ...changes].entries()) {
      const good = await signIn(at)
      await refused(change(good, random), `from inside ${nth}`)
      await refused(good, `after from inside ${nth}`)
    }
    for (const fault of hasNonce(at) ? wrongTokens : []) {
      const good = await signIn(at)
      const { faults } = at === 'microsoft' ? t.clouds.microsoft : t.clouds.drive
      const route = at === 'microsoft' ? 'microsoft.token' : 'google.token'
      faults.plan({ route, fault })
      await refused(good, fault)
    }
    for (const [what, turn] of Object.entries(turned)) {
      if (what === 'nonce' && !hasNonce(at)) continue
      t.oauth(at).addRedirectUri(`${t.url}/oauth/${at}/callback2`)
      await refused(await signIn(at, turn), what)
    }
  }

  expect(cases).toBeGreaterThanOrEqual(10_000)
  // One account at each of four providers, whatever was tried.
  expect(before).toEqual([])
  expect((await t.waybill.connections.list(t.ann.user)).map(({ provider }) => provider)).toEqual([
    'google-drive',
    'dropbox',
    'box',
    'microsoft',
  ])
  expect(await t.waybill.connections.list(t.bob.user)).toEqual([])
}, 240_000)
