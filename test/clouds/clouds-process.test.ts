import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { getFrom } from './drive/client.ts'
import { forkClouds } from './fork.ts'
import type { ForkedClouds } from './fork.ts'
import { startIssuer } from './issuer.ts'
import type { Issuer } from './issuer.ts'

describe('clouds in a process of their own', () => {
  let clouds: ForkedClouds

  beforeAll(async () => {
    clouds = await forkClouds({ seed: 'forked' })
  })

  afterAll(() => clouds.close())

  it('serve, can be changed, and tell what they were asked', async () => {
    const { drive } = clouds
    const id = await drive.control.addFile('root', 'a', { pattern: 'a', size: 3000 })
    const account = { ...drive, id: '', email: '' }
    expect(
      (await getFrom({ url: drive.url, account }, `/drive/v3/files/${id}?alt=media`)).status,
    ).toBe(200)
    await drive.control.update(id, { name: 'b' })
    expect(await drive.control.dump()).toMatchObject({ b: { id, kind: 'file', size: 3000 } })
    const { byRoute } = await drive.control.callsSnapshot()
    expect(byRoute['drive.files.download']).toMatchObject({ calls: 1, bytesOut: 3000, units: 200 })
  })

  it('go offline and come back', async () => {
    const { drive } = clouds
    const account = { ...drive, id: '', email: '' }
    await drive.control.setOffline(true)
    await expect(getFrom({ url: drive.url, account }, '/drive/v3/files')).rejects.toThrow(
      'fetch failed',
    )
    await drive.control.setOffline(false)
    expect((await getFrom({ url: drive.url, account }, '/drive/v3/files')).status).toBe(200)
  })

  it('have a Dropbox beside the Drive', async () => {
    const { dropbox } = clouds
    await dropbox.control.put('/kept.txt', 'kept')
    expect(await dropbox.control.dump()).toMatchObject({ 'kept.txt': { size: 4 } })
    await expect(dropbox.control.remove('/nothing')).rejects.toThrow('nothing at')
  })
})

describe('sign-in at clouds in another process', () => {
  let clouds: ForkedClouds
  const callback = 'http://127.0.0.1:9/back'

  beforeAll(async () => {
    clouds = await forkClouds({ redirectUris: [callback] })
  })

  afterAll(() => clouds.close())

  it('can be decided from here, and looked at', async () => {
    const { box } = clouds
    await box.control.nextVisit({ as: 'other@box.example', decision: 'allow' })
    const query = new URLSearchParams({
      client_id: box.clientId,
      redirect_uri: callback,
      response_type: 'code',
    })
    const page = `${box.url}/api/oauth2/authorize?${query.toString()}`
    const location = (await fetch(page, { redirect: 'manual' })).headers.get('location') ?? ''
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code: new URL(location).searchParams.get('code') ?? '',
      redirect_uri: callback,
      client_id: box.clientId,
      client_secret: box.clientSecret,
    })
    expect((await fetch(box.tokenUrl, { method: 'POST', body })).status).toBe(200)
    const grants = await box.control.liveGrants()
    expect(grants.map(({ personId }) => personId)).toEqual(['11446498', '11446499'])
    expect((await box.control.callsSnapshot()).byRoute['box.token']).toMatchObject({ calls: 1 })
    await expect(
      box.control.addPerson({ id: '1', email: 'other@box.example', name: 'X' }),
    ).rejects.toThrow('somebody else')
  })

  it('has people to choose from everywhere', async () => {
    const { drive, dropbox, box, microsoft } = clouds
    for (const { control } of [drive, dropbox, box, microsoft])
      expect((await control.people()).length).toBeGreaterThan(1)
  })

  it('comes with an ID token, and with more of them for whoever asks', async () => {
    const { drive, issuer, idToken } = clouds
    const keys = createRemoteJWKSet(new URL(issuer.jwksUrl))
    const audience = drive.clientId
    const [first] = await drive.control.people()
    expect((await jwtVerify(idToken, keys, { audience })).payload).toMatchObject({
      sub: first?.id,
      hd: 'example.com',
    })
    const other = await issuer.control.mintIdToken({ sub: '42', aud: audience })
    expect((await jwtVerify(other, keys, { audience })).payload.sub).toBe('42')
  })
})

describe('the program', () => {
  it.each([
    ['a port that is none', ['--port', 'x'], 'Give a number from 0 to 65535.'],
    ['a share above one', ['--rate', '2'], 'Give a number from 0 to 1.'],
    ['no number of milliseconds', ['--latency', ''], 'Give a number from 0'],
    ['an option that there is not', ['--wat'], "unknown option '--wat'"],
    ['a word too many', ['extra'], 'too many arguments'],
    ['a folder that there is not', ['--seed-folder', '/nowhere/at/all'], 'no such file'],
  ])('says in plain words what is wrong with %s', (_what, args, words) => {
    const main = fileURLToPath(new URL('./main.ts', import.meta.url))
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
      encoding: 'utf8',
    })
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^error: /)
    expect(stderr).toContain(words)
    expect(stderr).not.toContain('    at ')
  })
})

describe('the OpenID issuer', () => {
  let issuer: Issuer

  beforeAll(async () => {
    issuer = await startIssuer()
  })

  afterAll(() => issuer.close())

  const claims = { sub: '42', aud: 'client', email: 'a@b.example', hd: 'b.example' }

  function verify(token: string): ReturnType<typeof jwtVerify> {
    const keys = createRemoteJWKSet(new URL(issuer.jwksUrl))
    return jwtVerify(token, keys, { issuer: 'https://accounts.google.com', audience: 'client' })
  }

  it('signs what its keys verify, also after a rotation', async () => {
    const old = await issuer.mintIdToken(claims)
    issuer.rotate()
    const { payload } = await verify(await issuer.mintIdToken(claims))
    expect(payload).toMatchObject({ sub: '42', hd: 'b.example', email_verified: true })
    expect((await verify(old)).payload.sub).toBe('42')
  })

  it.each([
    ['expired', { expiresIn: -10 }, 'ERR_JWT_EXPIRED'],
    ['for somebody else', { aud: 'other' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
    ['by somebody else', { iss: 'https://evil.example' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
    ['with a foreign key', { foreignKey: true }, 'ERR_JWKS_NO_MATCHING_KEY'],
  ])('can mint a token that is %s', async (_what, wrong, code) => {
    await expect(verify(await issuer.mintIdToken({ ...claims, ...wrong }))).rejects.toMatchObject({
      code,
    })
  })
})
