import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startDrive } from '../drive/start.ts'
import type { SimulatedDrive } from '../drive/start.ts'
import { startMicrosoft } from './start-provider.ts'
import type { SimulatedProvider } from './start-provider.ts'
import { callback, redeem, refresh, signIn, visit, ways } from './visitor.ts'

let drive: SimulatedDrive
let microsoft: SimulatedProvider

beforeAll(async () => {
  const redirectUris = [callback]
  ;[drive, microsoft] = await Promise.all([
    startDrive({ redirectUris }),
    startMicrosoft({ redirectUris }),
  ])
})

afterAll(() => Promise.all([drive.close(), microsoft.close()]))

beforeEach(() => {
  drive.faults.clear()
  microsoft.faults.clear()
})

const places = () =>
  [
    [drive, ways.google, 'google'],
    [microsoft, ways.microsoft, 'microsoft'],
  ] as const

describe('an ID token', () => {
  it.each([
    ['oidc.wrong_issuer', 'unexpected JWT "iss" (issuer) claim value'],
    ['oidc.wrong_audience', 'unexpected JWT "aud" (audience) claim value'],
    ['oidc.wrong_nonce', 'unexpected ID Token "nonce" claim value'],
    ['oidc.expired', 'expiration is past current timestamp'],
    ['oidc.foreign_key', 'error when selecting a JWT verification key'],
  ])('can be wrong: %s', async (fault, message) => {
    for (const [place, way, name] of places()) {
      place.faults.plan({ route: `${name}.token`, fault })
      await expect(signIn(place, way)).rejects.toThrow(message)
      await signIn(place, way)
    }
  })

  it('can be about somebody else', async () => {
    drive.faults.plan({ route: 'google.token', fault: 'oidc.wrong_subject' })
    expect((await signIn(drive, ways.google)).claims?.sub).toBe('another-person')
  })

  it('is signed with the newest key, and the old ones can be forgotten', async () => {
    for (const [place, way] of places()) {
      const keys = async (): Promise<readonly { kid: string }[]> => {
        const { keys: all } = JSON.parse(await (await fetch(`${place.url}${way.jwks}`)).text())
        return all
      }
      const before = await keys()
      place.oauth.rotateKeys()
      expect((await keys()).length).toBe(before.length + 1)
      const { tokens } = await signIn(place, way)
      const [header = ''] = String(tokens.id_token).split('.')
      const { kid }: { kid: string } = JSON.parse(Buffer.from(header, 'base64url').toString())
      expect(kid).toBe((await keys()).at(-1)?.kid)
      place.oauth.retireKeys()
      expect((await keys()).map((key) => key.kid)).toEqual([kid])
    }
  })
})

describe('a callback', () => {
  it.each([
    ['oauth.wrong_state', 'unexpected "state" response parameter value'],
    ['oauth.wrong_iss', 'unexpected "iss" (issuer) response parameter value'],
    ['oauth.no_iss', 'response parameter "iss" (issuer) missing'],
  ])('can be wrong: %s', async (fault, message) => {
    drive.faults.plan({ route: 'google.authorize', fault })
    const visited = await visit(drive, ways.google)
    await expect(redeem(drive, ways.google, visited)).rejects.toThrow(message)
  })
})

describe('the token endpoint', () => {
  it.each([
    ['oauth.500', { cause: expect.objectContaining({ status: 500 }) }],
    ['oauth.429', { error: 'rate_limit_exceeded', status: 429 }],
    ['goauth.admin_policy', { error: 'admin_policy_enforced', status: 400 }],
    ['oauth.malformed_json', { message: 'failed to parse "response" body as JSON' }],
    ['net.reset_before_response', { message: 'fetch failed' }],
  ])('can fail: %s', async (fault, failure) => {
    drive.faults.plan({ route: 'google.token', fault })
    await expect(refresh(drive, ways.google, drive.account.refreshToken)).rejects.toMatchObject(
      failure,
    )
    await refresh(drive, ways.google, drive.account.refreshToken)
  })

  it('can be slow', async () => {
    drive.faults.plan({ route: 'google.token', fault: 'oauth.slow' })
    const body = new URLSearchParams({ grant_type: 'refresh_token' })
    const signal = AbortSignal.timeout(100)
    const call = fetch(`${drive.url}/token`, { method: 'POST', body, signal })
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('can lose its answer after a code was used', async () => {
    const visited = await visit(drive, ways.google)
    drive.faults.plan({ route: 'google.token', fault: 'net.reset_before_response.applied' })
    await expect(redeem(drive, ways.google, visited)).rejects.toThrow('fetch failed')
    await expect(redeem(drive, ways.google, visited)).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('of Microsoft can ask for the person', async () => {
    microsoft.faults.plan({ route: 'microsoft.token', fault: 'msgraph.interaction_required' })
    const { refreshToken: token } = microsoft.account
    await expect(refresh(microsoft, ways.microsoft, token)).rejects.toMatchObject({
      error: 'interaction_required',
    })
  })
})
