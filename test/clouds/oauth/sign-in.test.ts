import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startClouds } from '../start.ts'
import type { Clouds } from '../start.ts'
import { addressOf, callback, redeem, refresh, signIn, visit, ways } from './visitor.ts'

let clouds: Clouds

beforeAll(async () => {
  const redirectUris = [callback]
  clouds = await startClouds({
    drive: { redirectUris },
    dropbox: { redirectUris },
    box: { redirectUris },
    microsoft: { redirectUris },
  })
  const { drive, dropbox, box, microsoft } = clouds
  drive.oauth.addPerson({ id: '42', email: 'b@b.example', name: 'B', organization: 'b.example' })
  dropbox.oauth.addPerson({ id: 'dbid:b', email: 'b@b.example', name: 'B' })
  box.oauth.addPerson({ id: '42', email: 'b@b.example', name: 'B' })
  microsoft.oauth.addPerson({ id: 'guid-b', email: 'b@b.example', name: 'B' })
})

afterAll(() => clouds.close())

async function ask(url: string, token: string, init: RequestInit = {}): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(url, { ...init, headers })
  return { status: answer.status, ...JSON.parse(await answer.text()) }
}

describe('signing in with an independent client', () => {
  it('works at Google, and the token opens the Drive of the person who agreed', async () => {
    const { drive, issuer } = clouds
    const { tokens, claims } = await signIn(drive, ways.google)
    expect(tokens).toMatchObject({
      expires_in: 3599,
      scope:
        'openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/drive',
    })
    expect(claims).toMatchObject({ sub: drive.account.id, email_verified: true, hd: 'example.com' })
    const whose = await ask(`${drive.url}/drive/v3/about?fields=user`, tokens.access_token)
    expect(whose).toMatchObject({ status: 200, user: { emailAddress: drive.account.email } })
    expect(await ask(`${drive.url}/oauth2/v3/userinfo`, tokens.access_token)).toMatchObject({
      sub: drive.account.id,
      hd: 'example.com',
    })
    const again = await refresh(drive, ways.google, tokens.refresh_token)
    expect(again.refresh_token).toBeUndefined()
    expect(await ask(`${drive.url}/drive/v3/files`, again.access_token)).toMatchObject({
      status: 200,
    })
    // The backend reads its keys there.
    expect(await (await fetch(issuer.jwksUrl)).json()).toEqual(
      await (await fetch(`${drive.url}/oauth2/v3/certs`)).json(),
    )
  })

  it('works at Dropbox, and the token opens the account', async () => {
    const { dropbox } = clouds
    const { tokens } = await signIn(dropbox, ways.dropbox)
    expect(tokens).toMatchObject({ expires_in: 14_400, account_id: dropbox.account.id })
    const again = await refresh(dropbox, ways.dropbox, tokens.refresh_token)
    expect(Object.keys(again).toSorted()).toEqual(['access_token', 'expires_in', 'token_type'])
    for (const { access_token } of [tokens, again])
      expect(
        await ask(`${dropbox.url}/2/users/get_current_account`, access_token, { method: 'POST' }),
      ).toMatchObject({ account_id: dropbox.account.id, email: dropbox.account.email })
  })

  it('works at Box, which replaces the refresh token', async () => {
    const { box } = clouds
    const { tokens } = await signIn(box, ways.box)
    const again = await refresh(box, ways.box, tokens.refresh_token)
    expect(again.refresh_token).not.toBe(tokens.refresh_token)
    expect(await ask(`${box.url}/2.0/users/me`, again.access_token)).toMatchObject({
      id: box.account.id,
      login: box.account.email,
    })
  })

  it('works at Microsoft, where each tenant is an issuer of its own', async () => {
    const { microsoft } = clouds
    const { tokens, claims } = await signIn(microsoft, ways.microsoft)
    expect(claims).toMatchObject({ oid: microsoft.account.id, ver: '2.0' })
    expect(String(tokens.scope).split(' ')).not.toContain('offline_access')
    expect(await ask(`${microsoft.url}/v1.0/me`, tokens.access_token)).toMatchObject({
      id: microsoft.account.id,
    })
    expect(await ask(`${microsoft.url}/v1.0/me/drive`, tokens.access_token)).toMatchObject({
      driveType: 'business',
      owner: { user: { id: microsoft.account.id } },
    })
    const again = await refresh(microsoft, ways.microsoft, tokens.refresh_token)
    expect(again.refresh_token).not.toBe(tokens.refresh_token)
  })

  it.each(['drive', 'dropbox', 'box', 'microsoft'] as const)(
    'gets another account of %s when the visitor chooses another one',
    async (name) => {
      const place = clouds[name]
      const way = ways[name === 'drive' ? 'google' : name]
      const issuer = `https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0`
      const own = name === 'microsoft' ? { ...way, issuer } : way
      const { tokens } = await signIn(place, own, {
        as: { as: 'b@b.example', decision: 'allow' },
      })
      const grant = place.oauth
        .liveGrants()
        .find(({ accessTokens }) => accessTokens.includes(tokens.access_token))
      expect(grant?.personId).toMatch(/42|dbid:b|guid-b/)
    },
  )

  it('may show the secret in the header, too', async () => {
    const { box } = clouds
    const { tokens } = await redeem(box, ways.box, await visit(box, ways.box), 'basic')
    expect(tokens.access_token).toMatch(/^box/)
  })

  it('needs no secret at Dropbox for a client that uses PKCE', async () => {
    const { dropbox } = clouds
    const { location, verifier } = await visit(dropbox, ways.dropbox)
    const form = {
      grant_type: 'authorization_code',
      code: location.searchParams.get('code') ?? '',
      redirect_uri: callback,
      client_id: dropbox.account.clientId,
      code_verifier: verifier,
    }
    const body = new URLSearchParams(form)
    const answer = await fetch(`${dropbox.url}/oauth2/token`, { method: 'POST', body })
    expect(await answer.json()).toMatchObject({ account_id: dropbox.account.id })
  })
})

describe('the consent page', () => {
  /** What a browser sends when the form is filled in like this. */
  async function decide(
    name: 'drive' | 'microsoft',
    form: [name: string, value: string][],
  ): Promise<Response> {
    const { address } = await addressOf(clouds[name], ways[name === 'drive' ? 'google' : name])
    const body = new URLSearchParams(form)
    return fetch(address, { method: 'POST', body, redirect: 'manual' })
  }

  it('offers the accounts, the scopes, and two buttons', async () => {
    const { address } = await addressOf(clouds.drive, ways.google, { login_hint: 'b@b.example' })
    const answer = await fetch(address)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const page = await answer.text()
    expect(page).toContain('value="42" required checked autofocus')
    expect(page).toContain(`value="${clouds.drive.account.id}" required>`)
    expect(page).toContain(
      'type="checkbox" name="scope" value="https://www.googleapis.com/auth/drive"',
    )
    expect(page).not.toContain('type="checkbox" name="scope" value="openid"')
    expect(page).toContain('<button name="decision" value="allow">')
    expect(page).toContain('<button name="decision" value="deny">')
  })

  it('offers the accounts of one domain when it is asked to', async () => {
    const { address } = await addressOf(clouds.drive, ways.google, { hd: 'b.example' })
    const page = await (await fetch(address)).text()
    expect([page.includes('b@b.example'), page.includes(clouds.drive.account.email)]).toEqual([
      true,
      false,
    ])
  })

  it('escapes what it shows', async () => {
    clouds.box.oauth.addPerson({ id: '"><b>', email: '<b>@b.example', name: '<script>' })
    const { address } = await addressOf(clouds.box, ways.box)
    const page = await (await fetch(address)).text()
    expect(page).not.toContain('<script>')
    expect(page).toContain('value="&quot;&gt;&lt;b&gt;"')
  })

  it('sends the visitor back with a code, or with the news that they refused', async () => {
    const id = clouds.drive.account.id
    const allowed = await decide('drive', [
      ['person', id],
      ['decision', 'allow'],
    ])
    const back = new URL(allowed.headers.get('location') ?? '')
    expect([allowed.status, `${back.origin}${back.pathname}`]).toEqual([303, callback])
    expect(back.searchParams.get('code')).not.toBeNull()
    const denied = await decide('microsoft', [
      ['person', clouds.microsoft.account.id],
      ['decision', 'deny'],
    ])
    const refusal = new URL(denied.headers.get('location') ?? '').searchParams
    expect(refusal.get('error')).toBe('access_denied')
    expect(refusal.get('state')).not.toBeNull()
    expect(refusal.has('code')).toBe(false)
  })

  it('does not take somebody whom it did not offer', async () => {
    const answer = await decide('drive', [
      ['person', 'nobody'],
      ['decision', 'allow'],
    ])
    expect(answer.status).toBe(400)
  })

  it('admits to a tenant of Microsoft who belongs there', async () => {
    const way = { ...ways.microsoft, authorize: '/consumers/oauth2/v2.0/authorize' }
    const { address } = await addressOf(clouds.microsoft, way)
    const page = await (await fetch(address)).text()
    expect([page.includes('b@b.example'), page.includes(clouds.microsoft.account.email)]).toEqual([
      true,
      false,
    ])
  })
})
