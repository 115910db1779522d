import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startClouds } from '../start.ts'
import type { Clouds } from '../start.ts'
import { addressOf, callback, post, redeem, signIn, visit, ways } from './visitor.ts'
import type { Way } from './visitor.ts'

let clouds: Clouds

beforeAll(async () => {
  const redirectUris = [callback]
  clouds = await startClouds({
    drive: { redirectUris },
    dropbox: { redirectUris },
    box: { redirectUris },
    microsoft: { redirectUris },
  })
})

afterAll(() => clouds.close())

const names = ['google', 'dropbox', 'box', 'microsoft'] as const
type Name = (typeof names)[number]

const placeOf = (name: Name) => clouds[name === 'google' ? 'drive' : name]
const wayOf = (name: Name): Way => ways[name]

async function page(name: Name, more: Readonly<Record<string, string | null>>) {
  const { address } = await addressOf(placeOf(name), wayOf(name), more)
  const answer = await fetch(address, { redirect: 'manual' })
  const location = answer.headers.get('location')
  return {
    status: answer.status,
    text: await answer.text(),
    back: location === null ? null : new URL(location).searchParams,
  }
}

describe.each(names)('the authorization endpoint of %s', (name) => {
  it.each([
    ['a client that it does not know', { client_id: 'somebody' }],
    ['an address that is not registered', { redirect_uri: 'https://evil.example/' }],
    ['an address that only begins like a registered one', { redirect_uri: `${callback}/x` }],
    ['an address with a parameter more', { redirect_uri: `${callback}?x=y` }],
    ['no address', { redirect_uri: null }],
  ])('tells the visitor, and nobody else, about %s', async (_what, more) => {
    const { status, text, back } = await page(name, more)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(text).toContain('<h1>')
    expect(back).toBeNull()
  })

  it.each([
    ['another response type', { response_type: 'token' }],
    ['a plain challenge', { code_challenge_method: 'plain' }],
    ['a challenge without a method', { code_challenge_method: null }],
  ])('tells the client about %s', async (_what, more) => {
    const { back } = await page(name, more)
    expect(back?.get('error')).toMatch(/^(?:unsupported_response_type|invalid_request)$/)
    expect(back?.get('state')).not.toBeNull()
    expect(back?.get('iss')).toBe(name === 'google' ? 'https://accounts.google.com' : null)
  })

  it('insists on PKCE for a client without a secret', async () => {
    const redirectUris = [callback]
    placeOf(name).oauth.registerClient({ id: 'public', secret: null, redirectUris })
    const more = { client_id: 'public', code_challenge: null, code_challenge_method: null }
    expect((await page(name, more)).back?.get('error')).toBe('invalid_request')
    expect((await page(name, { client_id: 'public' })).status).toBe(200)
  })

  it('says that the visitor refused', async () => {
    const visited = await visit(placeOf(name), wayOf(name), { as: { decision: 'deny' } })
    await expect(redeem(placeOf(name), wayOf(name), visited)).rejects.toMatchObject({
      error: 'access_denied',
    })
    expect(visited.location.searchParams.has('code')).toBe(false)
  })
})

describe('a request without a question', () => {
  it('is answered at once when everything is granted already, else with an error', async () => {
    const quiet = { prompt: 'none' }
    const google = ways.google
    const refused = await page('google', { ...quiet, scope: 'https://www.googleapis.com/auth/x' })
    expect(refused.back?.get('error')).toBe('interaction_required')
    await signIn(clouds.drive, google)
    expect((await page('google', quiet)).back?.has('code')).toBe(true)
    const { id } = clouds.drive.account
    clouds.drive.oauth.addPerson({ id: 'late', email: 'late@example.com', name: 'Late' })
    expect((await page('google', quiet)).back?.get('error')).toBe('login_required')
    expect((await page('google', { ...quiet, login_hint: id })).back?.has('code')).toBe(true)
  })
})

describe.each(names)('the token endpoint of %s', (name) => {
  const url = () => `${placeOf(name).url}${wayOf(name).token}`

  async function form(more: Readonly<Record<string, string>> = {}) {
    const place = placeOf(name)
    const visited = await visit(place, wayOf(name))
    return {
      grant_type: 'authorization_code',
      code: visited.location.searchParams.get('code') ?? '',
      redirect_uri: callback,
      code_verifier: visited.verifier,
      client_id: place.account.clientId,
      client_secret: place.account.clientSecret,
      ...more,
    }
  }

  const words: Readonly<Record<string, Readonly<Record<Name, string>>>> = {
    'a code that it did not give': {
      google: 'invalid_grant Malformed auth code.',
      dropbox: "invalid_grant code doesn't exist or has expired",
      box: "invalid_grant Auth code doesn't exist or is invalid for the client",
      microsoft: 'invalid_grant AADSTS9002313',
    },
    'another address than before': {
      google: 'redirect_uri_mismatch Bad Request',
      dropbox: 'invalid_grant redirect_uri mismatch',
      box: 'redirect_uri_mismatch The redirect URI',
      microsoft: 'invalid_client AADSTS50011',
    },
    'a wrong verifier': {
      google: 'invalid_grant Invalid code verifier.',
      dropbox: 'invalid_grant invalid code verifier',
      box: 'invalid_grant Invalid code verifier',
      microsoft: 'invalid_grant AADSTS501481',
    },
    'a wrong secret': {
      google: 'invalid_client The provided client secret is invalid.',
      dropbox: 'invalid_client: Invalid client_id or client_secret',
      box: 'invalid_client The client credentials are invalid',
      microsoft: 'invalid_client AADSTS7000215',
    },
    'an unknown client': {
      google: 'invalid_client The OAuth client was not found.',
      dropbox: 'invalid_client: Invalid client_id or client_secret',
      box: 'invalid_client The client credentials are invalid',
      microsoft: 'unauthorized_client AADSTS700016',
    },
    'another grant type': {
      google: 'unsupported_grant_type',
      dropbox: 'unsupported_grant_type',
      box: 'invalid_request Invalid grant_type',
      microsoft: 'unsupported_grant_type AADSTS70003',
    },
    'a refresh token that it did not give': {
      google: 'invalid_grant Bad Request',
      dropbox: 'invalid_grant refresh token is malformed',
      box: 'invalid_grant Invalid refresh token',
      microsoft: 'invalid_grant AADSTS9002313',
    },
  }

  async function refusal(sent: Readonly<Record<string, string>>): Promise<string> {
    const { status, json } = await post(url(), sent)
    expect(status).toBeGreaterThanOrEqual(400)
    const { error, error_description }: Record<string, string> = JSON.parse(JSON.stringify(json))
    return error_description === undefined ? `${error}` : `${error} ${error_description}`
  }

  it.each([
    ['a code that it did not give', { code: 'x' }],
    ['another address than before', { redirect_uri: `${callback}/` }],
    ['a wrong verifier', { code_verifier: 'x'.repeat(43) }],
    ['a wrong secret', { client_secret: 'x' }],
    ['an unknown client', { client_id: 'x' }],
    ['another grant type', { grant_type: 'password' }],
    ['a refresh token that it did not give', { grant_type: 'refresh_token', refresh_token: 'x' }],
  ])('refuses %s in the provider’s words', async (what, more) => {
    expect(await refusal(await form(more))).toContain(words[what]?.[name])
  })

  it('refuses a code without its verifier, and a verifier that nobody asked for', async () => {
    const { code_verifier, ...without } = await form()
    expect(code_verifier).not.toBe('')
    expect(await refusal(without)).toMatch(/^invalid_grant/)
    const parameters = { code_challenge: null, code_challenge_method: null }
    const visited = await visit(placeOf(name), wayOf(name), { parameters })
    const code = visited.location.searchParams.get('code') ?? ''
    expect(await refusal(await form({ code }))).toMatch(/^invalid_grant/)
  })

  it('takes a code once; a second time ends what it led to', async () => {
    const sent = await form()
    const first = await post(url(), sent)
    const { access_token }: { access_token: string } = JSON.parse(JSON.stringify(first.json))
    const live = () =>
      placeOf(name)
        .oauth.liveGrants()
        .flatMap((grant) => grant.accessTokens)
    expect(live()).toContain(access_token)
    expect(await refusal(sent)).toMatch(/^invalid_grant/)
    expect(live()).not.toContain(access_token)
    expect(live()).toContain(placeOf(name).account.accessToken)
  })

  it('gives a code only to the client that it is for', async () => {
    const other = { id: 'other', secret: 'secret', redirectUris: [callback] }
    placeOf(name).oauth.registerClient(other)
    const sent = await form({ client_id: other.id, client_secret: other.secret })
    expect(await refusal(sent)).toMatch(/^invalid_grant/)
  })

  it('refuses a person who was suspended', async () => {
    const { oauth, account } = placeOf(name)
    const sent = await form()
    oauth.changePerson(account.id, { isSuspended: true })
    try {
      expect(await refusal(sent)).toMatch(/^(?:invalid_grant|unauthorized_client)/)
      const { refreshToken, clientId, clientSecret } = account
      const again = { grant_type: 'refresh_token', refresh_token: refreshToken }
      const client = { client_id: clientId, client_secret: clientSecret }
      expect(await refusal({ ...again, ...client })).toMatch(/^(?:invalid_grant|unauth)/)
      const header = `Bearer ${account.accessToken}`
      expect(placeOf(name).tokens.check(header)).toEqual({ state: 'unknown' })
    } finally {
      oauth.changePerson(account.id, { isSuspended: false })
    }
  })
})

describe('what only one provider minds', () => {
  it('is a missing secret at Google, in spite of PKCE', async () => {
    const { drive } = clouds
    const { location, verifier } = await visit(drive, ways.google)
    const { status, json } = await post(`${drive.url}/token`, {
      grant_type: 'authorization_code',
      code: location.searchParams.get('code') ?? '',
      redirect_uri: callback,
      code_verifier: verifier,
      client_id: drive.account.clientId,
    })
    expect([status, json]).toMatchObject([400, { error_description: 'client_secret is missing.' }])
  })

  it('is a client that is named twice at Dropbox', async () => {
    const { url, account } = clouds.dropbox
    const { clientId, clientSecret, refreshToken } = account
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
    const grant = { grant_type: 'refresh_token', refresh_token: refreshToken }
    const headers = { authorization: `Basic ${basic}` }
    const twice = await post(`${url}/oauth2/token`, { ...grant, client_id: clientId }, headers)
    expect(twice.json).toMatchObject({ error_description: 'unknown field "client_id"' })
    expect((await post(`${url}/oauth2/token`, grant, headers)).status).toBe(200)
  })
})
