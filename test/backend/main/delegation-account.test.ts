import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { serviceAccountAt } from '../../../backend/main/delegation-account.ts'
import { listen } from '../api/listen.ts'

const email = 'waybill@project.iam.gserviceaccount.com'
const claims = { iss: email, sub: 'ann@example.com', iat: 1, exp: 601 }

interface Heard {
  readonly what: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

let heard: Heard[]
let status: number
let google: Awaited<ReturnType<typeof listen>>
beforeEach(async () => {
  heard = []
  status = 200
  google = await listen(
    createServer((request, response) => {
      const answer = async (): Promise<void> => {
        const body = await text(request)
        const { method = '', url = '', headers } = request
        heard.push({ what: `${method} ${url}`, headers, body })
        const isToken = url.startsWith('/computeMetadata/')
        response.statusCode = isToken ? 200 : status
        const { payload = '{}' } = body === '' ? {} : JSON.parse(body)
        const jwt = ['{"alg":"RS256"}', payload, 'signature'].map((part) =>
          Buffer.from(String(part)).toString('base64url'),
        )
        response.end(
          JSON.stringify(
            isToken ? { access_token: 'of-the-process' } : { signedJwt: jwt.join('.') },
          ),
        )
      }
      void answer()
    }),
  )
})
afterEach(async () => google.close())

const sign = async () =>
  serviceAccountAt(
    { email, clientId: '1234' },
    { metadataUrl: google.url, credentialsUrl: google.url },
    fetch,
  ).sign(claims)

it('is signed for by Google, as whom the process runs', async () => {
  expect(decodeJwt(await sign())).toEqual(claims)
  const [own, signing] = heard
  expect(own).toMatchObject({
    what: 'GET /computeMetadata/v1/instance/service-accounts/default/token',
    headers: { 'metadata-flavor': 'Google' },
  })
  expect(signing).toMatchObject({
    what: `POST /v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:signJwt`,
    headers: { authorization: 'Bearer of-the-process' },
  })
})

it.each([
  [403, 'settings_invalid'],
  [404, 'settings_invalid'],
  [500, 'unavailable'],
  [302, 'unavailable'],
])('a %i from Google is %s', async (answered, code) => {
  status = answered
  await expect(sign()).rejects.toMatchObject({ code })
})

it('is unavailable where nobody answers', async () => {
  await google.close()
  await expect(sign()).rejects.toMatchObject({ code: 'unavailable' })
  google = await listen(createServer())
})
