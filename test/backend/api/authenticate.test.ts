import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose'
import { userIdOf } from '../../../backend/api/user-id.ts'
import { request, startApi, type Api } from './start-api.ts'
import { audience, issuer } from './token-issuer.ts'

let api: Api

beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const ask = (token: string) => api.http.get('/v1/jobs').set('Authorization', `Bearer ${token}`)

/** Asks with a token and shows that it is refused without saying any of it. */
async function refuses(token: string): Promise<void> {
  const answer = await ask(token)
  expect(answer.status).toBe(401)
  expect(answer.body).toEqual({ error: { code: 'unauthenticated', message: 'Sign in again.' } })
  expect(answer.headers['www-authenticate']).toBe('Bearer')
  expect(api.log.join('')).not.toContain(token.slice(0, 24))
}

const encode = (text: string) => Buffer.from(text).toString('base64url')
const now = () => Date.UTC(2027, 0, 15, 12) / 1_000

describe('a good token', () => {
  it('is taken, from either audience and by either of the issuer’s names', async () => {
    const staging = '1234-staging.apps.googleusercontent.com'
    for (const claims of [
      {},
      { aud: staging, azp: staging },
      { aud: staging },
      { iss: 'accounts.google.com' },
    ])
      await ask(await api.issuer.token(claims)).expect(200)
    expect(api.issuer.requests()).toBe(1)
  })

  it('makes the same person of both of the issuer’s names, and another of another sub', async () => {
    await api.http
      .post('/v1/jobs')
      .set('Authorization', await api.bearer('7'))
      .send(request)
    const mine = await ask(await api.issuer.token({ iss: 'accounts.google.com', sub: '7' }))
    expect(mine.body).toMatchObject({ jobs: [{ request }] })
    const other = await ask(await api.issuer.token({ sub: '8' }))
    expect(other.body).toEqual({ jobs: [], next: null })
  })

  it('may be as much as 60 seconds early or late', async () => {
    await ask(
      await api.issuer.token({ iat: now() + 59, exp: now() + 3_600, nbf: now() + 59 }),
    ).expect(200)
    const token = await api.issuer.token()
    api.pass(3_659_000)
    const answer = await ask(token)
    expect(answer.status).toBe(200)
  })

  it('may hold an e-mail address that is verified', async () => {
    const answer = await ask(
      await api.issuer.token({ email: 'a@example.com', email_verified: true }),
    )
    expect(answer.status).toBe(200)
  })
})

describe('whoever brings no token', () => {
  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer  e30.e30.e30',
    'Basic YTpi',
    'Bearer a.b.c, Bearer d.e.f',
  ])('is unauthenticated: %j', async (value) => {
    const asked = api.http.get('/v1/jobs')
    if (value !== undefined) asked.set('Authorization', value)
    const answer = await asked
    expect(answer.status).toBe(401)
    expect(answer.body).toMatchObject({ error: { code: 'unauthenticated' } })
  })

  it('is unauthenticated with the token in the query or a cookie', async () => {
    const token = await api.issuer.token()
    const query = await api.http.get(`/v1/jobs?access_token=${token}`)
    expect(query.status).toBe(401)
    const cookie = await api.http.get('/v1/jobs').set('Cookie', `token=${token}`)
    expect(cookie.status).toBe(401)
  })
})

describe('a token is refused', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['that has expired', { iat: now() - 3_700, exp: now() - 61 }],
    ['that is not yet valid', { nbf: now() + 61 }],
    ['from the future', { iat: now() + 61, exp: now() + 3_600 }],
    ['that lives longer than an hour', { exp: now() + 3_601 }],
    ['that ends before it begins', { iat: now() + 30, exp: now() + 30 }],
    ['without an end', { exp: undefined }],
    ['without a beginning', { iat: undefined }],
    ['whose end is a string', { exp: `${now() + 3_600}` }],
    ['for another audience', { aud: 'someone-else', azp: audience }],
    ['for several audiences', { aud: [audience, 'someone-else'] }],
    ['for one audience in a list', { aud: [audience] }],
    ['without an audience', { aud: undefined }],
    ['given to another client', { azp: 'someone-else' }],
    ['that does not say to which client it was given', { azp: undefined }],
    ['of another issuer', { iss: 'https://accounts.google.com.example.com' }],
    ['without an issuer', { iss: undefined }],
    ['without a sub', { sub: undefined }],
    ['with an empty sub', { sub: '' }],
    ['with a sub that is a number', { sub: 110_169 }],
    ['with an address that is not verified', { email: 'a@example.com', email_verified: false }],
    [
      'with an address that is verified in words',
      { email: 'a@example.com', email_verified: 'true' },
    ],
    ['with an address that nobody speaks for', { email: 'a@example.com' }],
  ])('%s', async (_name, claims) => {
    await refuses(await api.issuer.token(claims))
    expect.hasAssertions()
  })

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['without a key id', { kid: undefined }],
    ['with a key id that nobody published', { kid: 'key-99' }],
    ['that is another kind of token', { typ: 'at+jwt' }],
    ['that names a key server', { jku: 'https://example.com/keys' }],
    ['that names a certificate', { x5u: 'https://example.com/cert' }],
    ['that brings its own key', { jwk: { kty: 'RSA', n: 'AQ', e: 'AQAB' } }],
  ])('%s', async (_name, header) => {
    await refuses(await api.issuer.token({}, header))
    expect.hasAssertions()
  })

  it('that asks for extensions', async () => {
    const [, payload, signature] = (await api.issuer.token()).split('.')
    const header = encode('{"alg":"RS256","kid":"key-1","crit":["exp"],"exp":1}')
    await refuses(`${header}.${payload}.${signature}`)
    expect.hasAssertions()
  })

  it('signed by somebody else with the right key id', async () => {
    const { privateKey } = await generateKeyPair('RS256')
    const token = await new SignJWT({ aud: audience, azp: audience, sub: '1', iss: issuer })
      .setProtectedHeader({ alg: 'RS256', kid: 'key-1' })
      .setIssuedAt(now())
      .setExpirationTime(now() + 600)
      .sign(privateKey)
    await refuses(token)
    expect.hasAssertions()
  })

  it('whose payload was changed', async () => {
    const [header, , signature] = (await api.issuer.token()).split('.')
    const [, payload] = (await api.issuer.token({ sub: '2' })).split('.')
    await refuses(`${header}.${payload}.${signature}`)
    expect.hasAssertions()
  })

  it('that is not signed', async () => {
    const [, payload, signature] = (await api.issuer.token()).split('.')
    for (const alg of ['none', 'None', 'NONE', '']) {
      const header = encode(JSON.stringify({ alg, kid: 'key-1', typ: 'JWT' }))
      await refuses(`${header}.${payload}.`)
      await refuses(`${header}.${payload}.${signature}`)
    }
    const [rs256] = (await api.issuer.token()).split('.')
    await refuses(`${rs256}.${payload}.`)
    await refuses(`${rs256}.${payload}`)
    expect.hasAssertions()
  })

  it('signed with HS256 by the public key', async () => {
    const [, payload] = (await api.issuer.token()).split('.')
    const key = await importJWK(await api.issuer.publicKey(), 'RS256', { extractable: true })
    if (key instanceof Uint8Array) throw new Error('It is no public key.')
    const signed = `${encode('{"alg":"HS256","kid":"key-1","typ":"JWT"}')}.${payload}`
    const mac = createHmac('sha256', await exportSPKI(key))
      .update(signed)
      .digest('base64url')
    await refuses(`${signed}.${mac}`)
    expect.hasAssertions()
  })

  it('signed with another algorithm, even by a published key', async () => {
    const { publicKey, privateKey } = await generateKeyPair('PS256', { extractable: true })
    api.issuer.publish({ ...(await exportJWK(publicKey)), kid: 'ps' })
    const token = await new SignJWT({ aud: audience, azp: audience, sub: '1', iss: issuer })
      .setProtectedHeader({ alg: 'PS256', kid: 'ps' })
      .setIssuedAt(now())
      .setExpirationTime(now() + 600)
      .sign(privateKey)
    await refuses(token)
    expect.hasAssertions()
  })

  it('longer than 4 KiB', async () => {
    const token = await api.issuer.token({ picture: 'x'.repeat(4_096) })
    await refuses(token)
    const short = await api.issuer.token({ picture: 'x'.repeat(2_000) })
    expect(await ask(short)).toHaveProperty('status', 200)
  })

  it('in any other spelling', async () => {
    const token = await api.issuer.token()
    const [header = '', payload = '', signature = ''] = token.split('.')
    // 256 bytes leave 4 stray bits in the last of 342 characters: 15 other spellings of one signature.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = alphabet.indexOf(signature.at(-1) ?? '')
    for (let stray = 1; stray < 16; stray += 1)
      await refuses(`${header}.${payload}.${signature.slice(0, -1)}${alphabet[last + stray]}`)
    await refuses(`${token}=`)
    await refuses(`${token}.`)
    await refuses(`.${token}`)
    await refuses(`${header}.${payload}.${signature.slice(0, 9)} ${signature.slice(9)}`)
    await refuses(`${header}.${payload}.${signature.slice(0, 9)}?${signature.slice(9)}`)
    await refuses(`${header}.${payload}.${signature.slice(0, 9)}+${signature.slice(9)}`)
    expect(await ask(token)).toHaveProperty('status', 200)
  })

  it('with a claim or a header that comes twice', async () => {
    const claims = `"iss":"${issuer}","aud":"${audience}","azp":"${audience}","iat":${now()},"exp":${now() + 60}`
    const { signRaw } = api.issuer
    const header = '{"alg":"RS256","kid":"key-1"}'
    const good = await ask(signRaw(header, `{${claims},"sub":"1"}`))
    expect(good.status).toBe(200)
    await refuses(signRaw(header, `{${claims},"sub":"1","sub":"2"}`))
    await refuses(signRaw(header, `{${claims},"sub":"1","s\\u0075b":"2"}`))
    await refuses(signRaw('{"alg":"none","alg":"RS256","kid":"key-1"}', `{${claims},"sub":"1"}`))
    await refuses(signRaw(header, `[{${claims},"sub":"1"}]`))
    await refuses(signRaw(header, 'null'))
  })
})

it('admits only the Workspace domains that are allowed, by hd and not by the address', async () => {
  await using own = await startApi(undefined, { hostedDomains: ['example.com'] })
  const status = async (claims: Readonly<Record<string, unknown>>) => {
    const token = await own.issuer.token(claims)
    return (await own.http.get('/v1/jobs').set('Authorization', `Bearer ${token}`)).status
  }
  expect(await status({ hd: 'example.com' })).toBe(200)
  expect(await status({ hd: 'example.org' })).toBe(401)
  expect(await status({ email: 'a@example.com', email_verified: true })).toBe(401)
})

describe('our own id of a person', () => {
  it('is 22 characters, fixed for ever', () => {
    expect(userIdOf(issuer, '110169484474386276334')).toBe('nPdADFTIVxrXEiai9ra8WG')
    expect(userIdOf('accounts.google.com', '110169484474386276334')).toBe('nPdADFTIVxrXEiai9ra8WG')
  })

  it('differs by issuer and by sub, and where the two meet', () => {
    const ids = [userIdOf('https://a', 'b'), userIdOf('https://a', 'c'), userIdOf('https://ab', '')]
    expect(new Set([...ids, userIdOf('https://b', 'b')])).toHaveProperty('size', 4)
  })
})
