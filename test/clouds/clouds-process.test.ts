import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
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
