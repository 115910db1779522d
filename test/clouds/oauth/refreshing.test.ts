import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startDrive } from '../drive/start.ts'
import type { SimulatedDrive } from '../drive/start.ts'
import { startDropbox } from '../dropbox/start.ts'
import type { SimulatedDropbox } from '../dropbox/start.ts'
import { startBox, startMicrosoft } from './start-provider.ts'
import type { SimulatedProvider } from './start-provider.ts'
import { callback, post, redeem, refresh, signIn, visit, ways } from './visitor.ts'

const day = 24 * 3600
const redirectUris = [callback]

describe('Google', () => {
  let drive: SimulatedDrive

  beforeEach(async () => {
    drive = await startDrive({ redirectUris })
  })

  afterEach(() => drive.close())

  it('gives a refresh token for offline access only, and only when something was agreed to', async () => {
    const online = { parameters: { access_type: null } }
    expect((await signIn(drive, ways.google, online)).tokens.refresh_token).toBeUndefined()
    expect((await signIn(drive, ways.google)).tokens.refresh_token).toBeDefined()
    const unasked = { parameters: { prompt: null } }
    expect((await signIn(drive, ways.google, unasked)).tokens.refresh_token).toBeUndefined()
    drive.oauth.withdraw(drive.account.id)
    expect((await signIn(drive, ways.google, unasked)).tokens.refresh_token).toBeDefined()
  })

  it('forgets a refresh token that nobody used for half a year', async () => {
    const { tokens } = await signIn(drive, ways.google)
    drive.oauth.advance(150 * day)
    await refresh(drive, ways.google, tokens.refresh_token)
    drive.oauth.advance(150 * day)
    await refresh(drive, ways.google, tokens.refresh_token)
    drive.oauth.advance(184 * day)
    await expect(refresh(drive, ways.google, tokens.refresh_token)).rejects.toMatchObject({
      error: 'invalid_grant',
      error_description: 'Token has been expired or revoked.',
    })
  })

  it('keeps a hundred refresh tokens of one person and one client', async () => {
    const first = await signIn(drive, ways.google)
    for (let nth = 0; nth < 99; nth++) await signIn(drive, ways.google)
    await expect(refresh(drive, ways.google, drive.account.refreshToken)).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await refresh(drive, ways.google, first.tokens.refresh_token)
    await signIn(drive, ways.google)
    await expect(refresh(drive, ways.google, first.tokens.refresh_token)).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('gives less on a refresh that asks for less, and never more', async () => {
    const { clientId, clientSecret } = drive.account
    const { tokens } = await signIn(drive, ways.google)
    const form = {
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token ?? '',
      client_id: clientId,
      client_secret: clientSecret,
    }
    const less = await post(`${drive.url}/token`, { ...form, scope: 'email' })
    expect(less.json).toMatchObject({ scope: 'https://www.googleapis.com/auth/userinfo.email' })
    const more = await post(`${drive.url}/token`, { ...form, scope: 'https://mail.google.com/' })
    expect(more).toMatchObject({ status: 400, json: { error: 'invalid_scope' } })
  })
})

describe('Dropbox', () => {
  let dropbox: SimulatedDropbox

  beforeEach(async () => {
    dropbox = await startDropbox({ redirectUris })
  })

  afterEach(() => dropbox.close())

  it('gives a refresh token for offline access only, and it never expires', async () => {
    const online = { parameters: { token_access_type: null } }
    expect((await signIn(dropbox, ways.dropbox, online)).tokens.refresh_token).toBeUndefined()
    const { tokens } = await signIn(dropbox, ways.dropbox)
    dropbox.oauth.advance(10_000 * day)
    expect((await refresh(dropbox, ways.dropbox, tokens.refresh_token)).refresh_token).toBe(
      undefined,
    )
  })

  it('says which scope a call would need', async () => {
    const parameters = { scope: 'files.metadata.read' }
    const { tokens } = await signIn(dropbox, ways.dropbox, { parameters })
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    const call = { method: 'POST', headers }
    const answer = await fetch(`${dropbox.url}/2/users/get_current_account`, call)
    expect([answer.status, await answer.json()]).toMatchObject([
      401,
      { error: { '.tag': 'missing_scope', required_scope: 'account_info.read' } },
    ])
  })
})

describe('Box', () => {
  let box: SimulatedProvider
  let first: string | undefined

  beforeEach(async () => {
    box = await startBox({ redirectUris })
    first = (await signIn(box, ways.box)).tokens.refresh_token
  })

  afterEach(() => box.close())

  const lost = { error: 'invalid_grant', error_description: 'Refresh token has expired' }

  async function loseAnswer(): Promise<void> {
    box.faults.plan({ route: 'box.token', fault: 'box.refresh_lost' })
    await expect(refresh(box, ways.box, first)).rejects.toThrow('fetch failed')
  }

  it('takes a code for half a minute', async () => {
    const visited = await visit(box, ways.box)
    box.oauth.advance(30)
    await expect(redeem(box, ways.box, visited)).rejects.toMatchObject({
      error_description: 'The authorization code has expired',
    })
  })

  it('takes a refresh token once', async () => {
    const { refresh_token } = await refresh(box, ways.box, first)
    await expect(refresh(box, ways.box, first)).rejects.toMatchObject(lost)
    await refresh(box, ways.box, refresh_token)
  })

  it('can end the whole grant when a token is used twice', async () => {
    box.oauth.setReplacing({ reuse: 'ends-the-grant' })
    const { refresh_token } = await refresh(box, ways.box, first)
    await expect(refresh(box, ways.box, first)).rejects.toMatchObject(lost)
    await expect(refresh(box, ways.box, refresh_token)).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('forgets a refresh token after 60 days', async () => {
    box.oauth.advance(60 * day - 1)
    const { refresh_token } = await refresh(box, ways.box, first)
    box.oauth.advance(60 * day)
    await expect(refresh(box, ways.box, refresh_token)).rejects.toMatchObject(lost)
  })

  it('is lost for good when the answer with the next token is lost', async () => {
    await loseAnswer()
    await expect(refresh(box, ways.box, first)).rejects.toMatchObject(lost)
  })

  it('can forgive a lost answer until the next token was used', async () => {
    box.oauth.setReplacing({ oldToken: 'good-until-the-new-one-is-used' })
    await loseAnswer()
    const again = await refresh(box, ways.box, first)
    expect(box.oauth.liveGrants().flatMap((grant) => grant.refreshTokens)).toContain(
      again.refresh_token,
    )
    const headers = { authorization: `Bearer ${again.access_token}` }
    expect((await fetch(`${box.url}/2.0/users/me`, { headers })).status).toBe(200)
    await expect(refresh(box, ways.box, first)).rejects.toMatchObject(lost)
    await refresh(box, ways.box, again.refresh_token)
  })
})

describe('Microsoft', () => {
  let microsoft: SimulatedProvider

  beforeEach(async () => {
    microsoft = await startMicrosoft({ redirectUris })
  })

  afterEach(() => microsoft.close())

  it('gives another refresh token each time, and the old ones stay good for 90 days', async () => {
    const { tokens } = await signIn(microsoft, ways.microsoft)
    const next = await refresh(microsoft, ways.microsoft, tokens.refresh_token)
    microsoft.oauth.advance(90 * day - 3600)
    await refresh(microsoft, ways.microsoft, tokens.refresh_token)
    const last = await refresh(microsoft, ways.microsoft, next.refresh_token)
    microsoft.oauth.advance(3600)
    await expect(refresh(microsoft, ways.microsoft, next.refresh_token)).rejects.toMatchObject({
      error: 'invalid_grant',
      error_description: expect.stringContaining('AADSTS700082'),
    })
    await refresh(microsoft, ways.microsoft, last.refresh_token)
  })

  it('gives no refresh token without offline_access, and no ID token without openid', async () => {
    const parameters = { scope: 'User.Read' }
    const { jwks: _, ...withoutIdToken } = ways.microsoft
    const { tokens } = await signIn(microsoft, withoutIdToken, { parameters })
    expect([tokens.refresh_token, tokens.id_token]).toEqual([undefined, undefined])
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    const drive = await fetch(`${microsoft.url}/v1.0/me/drive`, { headers })
    expect([drive.status, await drive.json()]).toMatchObject([
      403,
      { error: { code: 'accessDenied' } },
    ])
  })

  it('says that an access token has expired', async () => {
    microsoft.oauth.expireAccessTokens()
    const headers = { authorization: `Bearer ${microsoft.account.accessToken}` }
    const answer = await fetch(`${microsoft.url}/v1.0/me`, { headers })
    expect([answer.status, await answer.json()]).toMatchObject([
      401,
      { error: { code: 'InvalidAuthenticationToken' } },
    ])
  })
})
