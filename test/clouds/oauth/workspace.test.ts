import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { SignJWT, importPKCS8 } from 'jose'
import { startDrive } from '../drive/start.ts'
import type { SimulatedDrive } from '../drive/start.ts'
import type { ServiceAccountKey } from './service-accounts.ts'
import { callback, post, refresh, signIn, ways } from './visitor.ts'

const drivesScope = 'https://www.googleapis.com/auth/drive'
const directoryScope = 'https://www.googleapis.com/auth/admin.directory.user.readonly'

let drive: SimulatedDrive

beforeEach(async () => {
  drive = await startDrive({ redirectUris: [callback] })
})

afterEach(() => drive.close())

async function get(path: string, token: string) {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${drive.url}${path}`, { headers })
  const json: unknown = JSON.parse(await answer.text())
  return { status: answer.status, json }
}

describe('granular consent', () => {
  it('grants what was not unticked, and says so', async () => {
    const { tokens } = await signIn(drive, ways.google, {
      as: { decision: 'allow', untick: [drivesScope, 'openid'] },
    })
    expect(tokens.scope).toBe('openid https://www.googleapis.com/auth/userinfo.email')
    expect(await get('/drive/v3/files', tokens.access_token)).toMatchObject({
      status: 403,
      json: { error: { errors: [{ reason: 'insufficientPermissions' }] } },
    })
  })

  it('lets nobody write who may only read', async () => {
    const parameters = { scope: `openid ${drivesScope}.readonly` }
    const { tokens } = await signIn(drive, ways.google, { parameters })
    expect((await get('/drive/v3/files', tokens.access_token)).status).toBe(200)
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    const write = { method: 'POST', headers, body: '{}' }
    expect((await fetch(`${drive.url}/drive/v3/files`, write)).status).toBe(403)
  })
})

describe('incremental authorization', () => {
  const before = `openid ${drivesScope}.file`

  beforeEach(async () => {
    drive.oauth.withdraw(drive.account.id)
    await signIn(drive, ways.google, { parameters: { scope: before } })
  })

  it('adds to what was granted before, when it is asked to', async () => {
    const { tokens } = await signIn(drive, ways.google, {
      parameters: { scope: directoryScope, include_granted_scopes: 'true' },
    })
    expect(tokens.scope).toBe(`${before} ${directoryScope}`)
    expect((await refresh(drive, ways.google, tokens.refresh_token)).scope).toBe(tokens.scope)
  })

  it('gives a token for what was asked alone, otherwise', async () => {
    const { jwks: _, ...withoutIdToken } = ways.google
    const { tokens } = await signIn(drive, withoutIdToken, {
      parameters: { scope: directoryScope },
    })
    expect([tokens.scope, tokens.id_token]).toEqual([directoryScope, undefined])
    expect(drive.oauth.liveGrants()[0]?.scopes).toEqual([...before.split(' '), directoryScope])
  })
})

describe('a service account', () => {
  let key: ServiceAccountKey

  beforeEach(async () => {
    key = await drive.serviceAccounts.addServiceAccount('waybill@project.iam.example')
    drive.oauth.addPerson({ id: '42', email: 'b@b.example', name: 'B', organization: 'b.example' })
  })

  async function ask(claims: Readonly<Record<string, unknown>> = {}, signer = key) {
    const seconds = Math.floor(Date.now() / 1000)
    const payload = {
      iss: key.client_email,
      scope: drivesScope,
      sub: drive.account.email,
      aud: `${drive.url}/token`,
      iat: seconds,
      exp: seconds + 3600,
      ...claims,
    }
    const assertion = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'RS256', kid: signer.private_key_id })
      .sign(await importPKCS8(signer.private_key, 'RS256'))
    const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    return post(`${drive.url}/token`, { grant_type, assertion })
  }

  function allow(scopes: readonly string[] = [drivesScope]): void {
    drive.serviceAccounts.delegate('example.com', key.client_id, scopes)
  }

  const unauthorized = { status: 401, json: { error: 'unauthorized_client' } }

  it('acts for a person once an administrator of their domain has delegated', async () => {
    expect(await ask()).toMatchObject(unauthorized)
    allow()
    const { status, json } = await ask()
    expect(status).toBe(200)
    const { access_token, ...rest }: Record<string, string> = JSON.parse(JSON.stringify(json))
    expect(rest).toEqual({ expires_in: 3599, token_type: 'Bearer' })
    expect(await get('/drive/v3/about?fields=user', access_token ?? '')).toMatchObject({
      json: { user: { emailAddress: drive.account.email } },
    })
  })

  it('acts for nobody of another domain, with no other scope, and no longer than it may', async () => {
    allow()
    expect(await ask({ sub: 'b@b.example' })).toMatchObject(unauthorized)
    expect(await ask({ scope: `${drivesScope} ${directoryScope}` })).toMatchObject(unauthorized)
    allow([])
    expect(await ask()).toMatchObject(unauthorized)
  })

  it.each([
    ['a person whom nobody knows', { sub: 'x@example.com' }, 'Invalid email or User ID'],
    ['an account that nobody knows', { iss: 'x' }, 'Invalid grant: account not found'],
    ['another audience', { aud: 'https://x.example' }, 'Failed audience check'],
    ['a token of long ago', { iat: 1, exp: 3601 }, 'short-lived token'],
    ['a token for a day', { exp: 2 ** 40 }, 'short-lived token'],
    ['no scope', { scope: '' }, 'Invalid OAuth scope'],
  ])('is refused with %s', async (_what, claims, words) => {
    allow()
    expect(await ask(claims)).toMatchObject({
      status: 400,
      json: { error_description: expect.stringContaining(words) },
    })
  })

  it('is refused with another key, or with no JWT at all', async () => {
    allow()
    const foreign = await drive.serviceAccounts.addServiceAccount('other@project.iam.example')
    expect(await ask({}, foreign)).toMatchObject({
      json: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' },
    })
    const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    expect(await post(`${drive.url}/token`, { grant_type, assertion: 'x' })).toMatchObject({
      json: { error: 'invalid_grant' },
    })
  })
})

describe('the directory', () => {
  const admin = { id: '7', email: 'admin@example.com', name: 'Admin', isAdmin: true }

  async function tokenOf(as: string, scope = directoryScope): Promise<string> {
    const parameters = { scope: `openid ${scope}` }
    const { tokens } = await signIn(drive, ways.google, {
      as: { as, decision: 'allow' },
      parameters,
    })
    return tokens.access_token
  }

  const user = (key: string) => `/admin/directory/v1/users/${key}`

  beforeEach(() => drive.oauth.addPerson({ ...admin, organization: 'example.com' }))

  it('tells an administrator who somebody is', async () => {
    const token = await tokenOf('7')
    const person = { id: drive.account.id, primaryEmail: drive.account.email, isAdmin: false }
    expect(await get(user(drive.account.id), token)).toMatchObject({
      status: 200,
      json: { ...person, suspended: false },
    })
    expect((await get(user(drive.account.email), token)).json).toMatchObject(person)
    expect((await get(user('admin@example.com'), token)).json).toMatchObject({ isAdmin: true })
  })

  it('knows that addresses change and go to others, and ids do not', async () => {
    const token = await tokenOf('7')
    const { id, email } = drive.account
    drive.oauth.changePerson(id, { email: 'new@example.com', aliases: ['alias@example.com'] })
    expect((await get(user('alias@example.com'), token)).json).toMatchObject({ id })
    expect(await get(user(email), token)).toMatchObject({ status: 404 })
    drive.oauth.addPerson({ id: '8', email, name: 'Next', organization: 'example.com' })
    expect((await get(user(email), token)).json).toMatchObject({ id: '8' })
    expect((await get(user(id), token)).json).toMatchObject({ primaryEmail: 'new@example.com' })
    const taken = () => drive.oauth.changePerson('8', { email: 'alias@example.com' })
    expect(taken).toThrow('somebody else')
  })

  it('says who is suspended, and that one customer is one customer', async () => {
    drive.oauth.changePerson(drive.account.id, { isSuspended: true })
    const token = await tokenOf('7')
    const { json } = await get(user(drive.account.id), token)
    expect(json).toMatchObject({ suspended: true })
    const { customerId }: Record<string, string> = JSON.parse(JSON.stringify(json))
    expect((await get(user('7'), token)).json).toMatchObject({ customerId })
  })

  it('refuses who is no administrator, asks across domains, or lacks the scope', async () => {
    const token = await tokenOf(drive.account.id)
    expect((await get(user('7'), token)).status).toBe(403)
    const seen = await get(`${user('7')}?viewType=domain_public`, token)
    expect(seen).toMatchObject({ status: 200, json: { primaryEmail: 'admin@example.com' } })
    expect(seen.json).not.toHaveProperty('isAdmin')
    drive.oauth.addPerson({ id: '9', email: 'a@else.example', name: 'Else', organization: 'else' })
    expect((await get(user('9'), await tokenOf('7'))).status).toBe(404)
    expect(await get(user('7'), await tokenOf('7', drivesScope))).toMatchObject({
      status: 403,
      json: { error: { errors: [{ reason: 'insufficientPermissions' }] } },
    })
  })
})
