import { KeyObject, sign } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'
import { listen } from './listen.ts'

export interface TokenIssuer {
  readonly jwksUrl: string
  /** A token as Google's would be, an hour long from `clock`; `claims` replace its own, undefined takes one away. */
  token(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>
  /** Signs any text as header and payload. */
  readonly signRaw: (header: string, payload: string) => string
  /** Signs with a new key and forgets the old one. */
  rotate(): Promise<void>
  /** What the key server does from now on. */
  behave(as: 'well' | 'down' | 'nonsense' | 'redirect' | 'endless'): void
  setCacheControl(value: string): void
  /** Published beside the signing key. */
  publish(key: JWK): void
  publicKey(): Promise<JWK>
  requests(): number
  close(): Promise<void>
}

export const audience = '1234-sidebar.apps.googleusercontent.com'
export const issuer = 'https://accounts.google.com'

/** Signs ID tokens and publishes its keys over HTTP as Google does. */
export async function startTokenIssuer(clock: () => number): Promise<TokenIssuer> {
  let number = 1
  let keys = await generateKeyPair('RS256', { extractable: true })
  let behaviour: 'well' | 'down' | 'nonsense' | 'redirect' | 'endless' = 'well'
  let cacheControl = 'public, max-age=3600, must-revalidate'
  let requests = 0
  let more: JWK[] = []

  const publicKey = async () => ({
    ...(await exportJWK(keys.publicKey)),
    kid: `key-${number}`,
    use: 'sig',
    alg: 'RS256',
  })

  async function answer(response: ServerResponse): Promise<void> {
    if (behaviour === 'down') response.writeHead(500).end('{"keys":[]}')
    else if (behaviour === 'nonsense') response.end('<html>')
    else if (behaviour === 'redirect') response.writeHead(302, { location: '/elsewhere' }).end()
    else if (behaviour === 'endless')
      response.end(JSON.stringify({ keys: [await publicKey()] }).padEnd(200_000))
    else {
      response.setHeader('cache-control', cacheControl)
      response.end(JSON.stringify({ keys: [await publicKey(), ...more] }))
    }
  }

  const server = createServer((_request, response) => {
    requests += 1
    void answer(response)
  })
  const { url, close } = await listen(server)

  return {
    jwksUrl: `${url}/certs`,
    token(claims = {}, header = {}) {
      const now = Math.floor(clock() / 1_000)
      const payload = {
        iss: issuer,
        aud: audience,
        azp: audience,
        sub: '110169484474386276334',
        iat: now,
        exp: now + 3_600,
        ...claims,
      }
      return new SignJWT(payload)
        .setProtectedHeader({ alg: 'RS256', kid: `key-${number}`, typ: 'JWT', ...header })
        .sign(keys.privateKey)
    },
    signRaw(header, payload) {
      const text = [header, payload]
        .map((each) => Buffer.from(each).toString('base64url'))
        .join('.')
      const key = KeyObject.from(keys.privateKey)
      return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
    },
    async rotate() {
      keys = await generateKeyPair('RS256', { extractable: true })
      number += 1
      more = []
    },
    behave(as) {
      behaviour = as
    },
    setCacheControl(value) {
      cacheControl = value
    },
    publish(key) {
      more.push(key)
    },
    publicKey,
    requests: () => requests,
    close,
  }
}
