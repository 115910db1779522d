import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { importPKCS8, SignJWT } from 'jose'
import { delegatedScopes } from '../../../backend/connect/delegate.ts'
import { createDelegating } from '../../../backend/connect/delegating.ts'
import type { DelegatingDeps, Directory } from '../../../backend/connect/delegating.ts'
import { startDrive } from '../../clouds/drive/start.ts'
import type { SimulatedDrive } from '../../clouds/drive/start.ts'

const person = {
  user: 'ann',
  tenant: 'tenant',
  sub: '1',
  address: 'person@example.com',
  domain: 'example.com',
}
const entry = { id: '1', isAdmin: true, suspended: false, customerId: 'C1' }
const never = async () => Promise.reject(new Error('nobody asks for that here'))

let drive: SimulatedDrive
let deps: DelegatingDeps
beforeEach(async () => {
  drive = await startDrive()
  const key = await drive.serviceAccounts.addServiceAccount('waybill@project.iam.example')
  drive.serviceAccounts.delegate('example.com', key.client_id, Object.values(delegatedScopes))
  const pem = await importPKCS8(key.private_key, 'RS256')
  deps = {
    account: async () => ({
      email: key.client_email,
      clientId: key.client_id,
      sign: async (claims) =>
        new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256' }).sign(pem),
    }),
    endpoint: {
      issuer: 'https://accounts.google.com',
      url: `${drive.url}/token`,
      authorizeUrl: '',
      revokeUrl: null,
      jwksUrl: null,
      clientId: 'x',
      clientSecret: 'x',
    },
    directory: { subject: async () => '1', user: async () => entry },
    people: { find: async () => person },
    policing: { refuse: never },
    connections: { create: never, get: never, list: never, update: never, remove: never },
    acts: { leaf: never },
    whose: never,
    isWholeAllowed: true,
    now: Date.now,
    random: randomBytes,
  }
})
afterEach(() => drive.close())

describe('an administrator', () => {
  const asked = async (said: Awaited<ReturnType<Directory['user']>>) =>
    createDelegating({
      ...deps,
      directory: { ...deps.directory, user: async () => said },
    }).administers(person)

  it.each([
    ['whom the directory calls one', entry, { customer: 'C1' }],
    ['not who is none', { ...entry, isAdmin: false }, null],
    ['not who is suspended', { ...entry, suspended: true }, null],
    ['not somebody else, who has their address now', { ...entry, id: '2' }, null],
    ['not who may not ask', 'not_admin' as const, null],
    ['not who is not in it', null, null],
  ])('is %s', async (_who, said, is) => {
    expect(await asked(said)).toEqual(is)
  })
})

describe('a token', () => {
  it('says whose it is, as Google says', async () => {
    const directory = { ...deps.directory, subject: async () => 'somebody' }
    const grant = await createDelegating({ ...deps, directory }).grant('ann')
    expect(grant).toMatchObject({ subject: 'somebody', refreshToken: null, expiresIn: 3599 })
  })

  it.each([
    ['nobody’s address', { address: 'nobody@example.com' }, 'connection_expired'],
    ['no address', { address: null }, 'connection_expired'],
  ])('is not given for %s', async (_what, facts, code) => {
    const people = { find: async () => ({ ...person, ...facts }) }
    await expect(createDelegating({ ...deps, people }).grant('ann')).rejects.toMatchObject({ code })
  })

  it('is not given to a service account that Google does not know', async () => {
    const account = async () => ({ email: 'x', clientId: 'x', sign: async () => 'a.b.c' })
    await expect(createDelegating({ ...deps, account }).grant('ann')).rejects.toMatchObject({
      code: 'settings_invalid',
    })
  })

  it('is waited for while Google is in trouble', async () => {
    drive.setOffline(true)
    await expect(createDelegating(deps).grant('ann')).rejects.toMatchObject({ code: 'unavailable' })
  })
})
