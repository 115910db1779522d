import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startClouds } from '../start.ts'
import type { Clouds } from '../start.ts'
import { callback, post, refresh, signIn, ways } from './visitor.ts'

let clouds: Clouds

beforeEach(async () => {
  const redirectUris = [callback]
  clouds = await startClouds({
    drive: { redirectUris },
    dropbox: { redirectUris },
    box: { redirectUris },
    microsoft: { redirectUris },
  })
})

afterEach(() => clouds.close())

const gone = { error: 'invalid_grant' }

describe('revoking at Google', () => {
  it.each(['refresh_token', 'access_token'] as const)(
    'with the %s ends all that the person granted to the client',
    async (kind) => {
      const { drive } = clouds
      const [one, other] = [
        await signIn(drive, ways.google, {
          parameters: { scope: 'openid https://www.googleapis.com/auth/drive.file' },
        }),
        await signIn(drive, ways.google),
      ]
      const token = one.tokens[kind] ?? ''
      expect(await post(`${drive.url}/revoke`, { token })).toEqual({ status: 200, json: {} })
      expect(drive.oauth.liveGrants()).toEqual([])
      for (const { tokens } of [one, other])
        await expect(refresh(drive, ways.google, tokens.refresh_token)).rejects.toMatchObject(gone)
      expect(await post(`${drive.url}/revoke`, { token })).toMatchObject({
        status: 400,
        json: { error: 'invalid_token' },
      })
    },
  )

  it('leaves other people alone, and takes the token in the address, too', async () => {
    const { drive } = clouds
    drive.oauth.addPerson({ id: '42', email: 'b@b.example', name: 'B' })
    const { tokens } = await signIn(drive, ways.google, { as: { as: '42', decision: 'allow' } })
    const token = drive.account.refreshToken
    expect(await post(`${drive.url}/revoke?token=${token}`, {})).toMatchObject({ status: 200 })
    await refresh(drive, ways.google, tokens.refresh_token)
    expect(drive.oauth.liveGrants().map(({ personId }) => personId)).toEqual(['42'])
  })

  it('can happen although nobody hears of it, can fail, and can be out of reach', async () => {
    const { drive } = clouds
    const { tokens } = await signIn(drive, ways.google)
    const token = tokens.refresh_token ?? ''
    const revoke = () => post(`${drive.url}/revoke`, { token })
    drive.faults.plan({ route: 'google.revoke', fault: 'oauth.500' })
    expect((await revoke()).status).toBe(500)
    drive.setOffline(true)
    await expect(revoke()).rejects.toThrow('fetch failed')
    drive.setOffline(false)
    await refresh(drive, ways.google, token)
    drive.faults.plan({ route: 'google.revoke', fault: 'net.reset_before_response.applied' })
    await expect(revoke()).rejects.toThrow('fetch failed')
    await expect(refresh(drive, ways.google, token)).rejects.toMatchObject(gone)
    expect(drive.calls.snapshot().byRoute['google.revoke']).toMatchObject({ calls: 3, refused: 3 })
  })
})

describe('revoking at Dropbox', () => {
  it('ends the access token, its refresh token, and the others that came of it', async () => {
    const { dropbox } = clouds
    const { tokens } = await signIn(dropbox, ways.dropbox)
    const next = await refresh(dropbox, ways.dropbox, tokens.refresh_token)
    const call = (token: string, route: string) =>
      fetch(`${dropbox.url}/2/${route}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      })
    expect((await call(next.access_token, 'auth/token/revoke')).status).toBe(200)
    const after = await call(tokens.access_token, 'users/get_current_account')
    expect([after.status, await after.json()]).toMatchObject([
      401,
      { error: { '.tag': 'invalid_access_token' } },
    ])
    await expect(refresh(dropbox, ways.dropbox, tokens.refresh_token)).rejects.toMatchObject({
      ...gone,
      error_description: 'refresh token is invalid or revoked',
    })
    // What the same person granted another time is another matter.
    await refresh(dropbox, ways.dropbox, dropbox.account.refreshToken)
  })
})

describe('revoking at Box', () => {
  it.each(['refresh_token', 'access_token'] as const)('with the %s ends both', async (kind) => {
    const { box } = clouds
    const { clientId, clientSecret } = box.account
    const { tokens } = await signIn(box, ways.box)
    const form = { client_id: clientId, client_secret: clientSecret, token: tokens[kind] ?? '' }
    const revoke = (more: object = {}) => post(`${box.url}/oauth2/revoke`, { ...form, ...more })
    expect(await revoke({ client_secret: 'x' })).toMatchObject({
      status: 400,
      json: { error: 'invalid_client' },
    })
    expect(await revoke()).toEqual({ status: 200, json: null })
    await expect(refresh(box, ways.box, tokens.refresh_token)).rejects.toMatchObject(gone)
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    expect((await fetch(`${box.url}/2.0/users/me`, { headers })).status).toBe(401)
    expect((await revoke()).status).toBe(400)
  })
})

describe('revoking at Microsoft', () => {
  it('is not offered; only the person can take back what they allowed', async () => {
    const { microsoft } = clouds
    const { tokens } = await signIn(microsoft, ways.microsoft)
    const token = tokens.refresh_token ?? ''
    const { status } = await post(`${microsoft.url}/common/oauth2/v2.0/revoke`, { token })
    expect(status).toBe(404)
    await refresh(microsoft, ways.microsoft, token)
    microsoft.oauth.withdraw(microsoft.account.id)
    await expect(refresh(microsoft, ways.microsoft, token)).rejects.toMatchObject(gone)
    expect(microsoft.oauth.liveGrants()).toEqual([])
  })
})
