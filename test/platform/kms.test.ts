import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { KeyManagementServiceClient } from '@google-cloud/kms'
import { checksum } from './kms-lies.ts'
import { startKms } from './kms.ts'
import type { StartedKms } from './kms.ts'

const parent = 'projects/p/locations/europe-west1'
const ring = `${parent}/keyRings/ring`
const day = 86_400_000

let time = 0
let made = 0
let kms: StartedKms
let client: KeyManagementServiceClient
beforeAll(async () => {
  kms = await startKms({ now: () => time })
  client = kms.client()
  await client.createKeyRing({ parent, keyRingId: 'ring', keyRing: {} })
})
afterAll(async () => kms.close())

async function makeKey(): Promise<string> {
  made += 1
  const cryptoKey = { purpose: 'ENCRYPT_DECRYPT' } as const
  const [{ name }] = await client.createCryptoKey({
    parent: ring,
    cryptoKeyId: `key-${made}`,
    cryptoKey,
  })
  return name ?? ''
}

const text = Buffer.from('text')
const aad = { additionalAuthenticatedData: Buffer.from('context') }
const no = (code: number) => expect.objectContaining({ code })

async function encrypt(name: string): Promise<{ name: string; ciphertext: Uint8Array }> {
  const [answer] = await client.encrypt({ name, plaintext: text, ...aad })
  if (!(answer.ciphertext instanceof Uint8Array)) throw new Error('It gave no bytes')
  return { name: answer.name ?? '', ciphertext: answer.ciphertext }
}

describe('the stand-in for Cloud KMS, through the official client', () => {
  it('decrypts what it encrypted, with the same key and context only', async () => {
    const [name, other] = [await makeKey(), await makeKey()]
    const { name: used, ciphertext } = await encrypt(name)
    expect(used).toBe(`${name}/cryptoKeyVersions/1`)
    const [answer] = await client.decrypt({ name, ciphertext, ...aad })
    expect(text.equals(Buffer.from(answer.plaintext ?? ''))).toBe(true)
    expect(answer).toMatchObject({ plaintextCrc32c: checksum(text), usedPrimary: true })
    await expect(client.decrypt({ name, ciphertext })).rejects.toEqual(no(3))
    await expect(client.decrypt({ name: other, ciphertext, ...aad })).rejects.toEqual(no(3))
    await expect(client.decrypt({ name: `${name}x`, ciphertext, ...aad })).rejects.toEqual(no(5))
  })

  it('verifies the checksums that are sent, and says which it has verified', async () => {
    const name = await makeKey()
    const plaintextCrc32c = { value: Number(checksum(text).value) }
    const [answer] = await client.encrypt({ name, plaintext: text, plaintextCrc32c, ...aad })
    expect(answer).toMatchObject({
      verifiedPlaintextCrc32c: true,
      verifiedAdditionalAuthenticatedDataCrc32c: false,
    })
    const wrong = { plaintextCrc32c: { value: plaintextCrc32c.value ^ 1 } }
    await expect(client.encrypt({ name, plaintext: text, ...wrong })).rejects.toEqual(no(3))
  })

  it('encrypts with the primary version, and decrypts with any that is enabled', async () => {
    const name = await makeKey()
    const { ciphertext } = await encrypt(name)
    await client.createCryptoKeyVersion({ parent: name, cryptoKeyVersion: {} })
    expect((await encrypt(name)).name).toBe(`${name}/cryptoKeyVersions/1`)
    const [key] = await client.updateCryptoKeyPrimaryVersion({ name, cryptoKeyVersionId: '2' })
    expect(key.primary?.name).toBe(`${name}/cryptoKeyVersions/2`)
    expect((await encrypt(name)).name).toBe(`${name}/cryptoKeyVersions/2`)
    const [answer] = await client.decrypt({ name, ciphertext, ...aad })
    expect(answer.usedPrimary).toBe(false)
    const [versions] = await client.listCryptoKeyVersions({ parent: name })
    expect(versions.map((version) => version.state)).toEqual(['ENABLED', 'ENABLED'])
  })

  it('keeps a version from use while it is disabled, and for ever once it is destroyed', async () => {
    const name = await makeKey()
    const version = `${name}/cryptoKeyVersions/1`
    const { ciphertext } = await encrypt(name)
    const opens = async () => client.decrypt({ name, ciphertext, ...aad })
    const set = async (state: 'ENABLED' | 'DISABLED') =>
      client.updateCryptoKeyVersion({
        cryptoKeyVersion: { name: version, state },
        updateMask: { paths: ['state'] },
      })
    const stateOf = async () => (await client.getCryptoKeyVersion({ name: version }))[0].state

    await set('DISABLED')
    await expect(opens()).rejects.toEqual(no(9))
    await expect(encrypt(name)).rejects.toEqual(no(9))
    await set('ENABLED')
    await opens()

    await client.destroyCryptoKeyVersion({ name: version })
    expect(await stateOf()).toBe('DESTROY_SCHEDULED')
    await expect(opens()).rejects.toEqual(no(9))
    await expect(set('ENABLED')).rejects.toEqual(no(9))
    await client.restoreCryptoKeyVersion({ name: version })
    expect(await stateOf()).toBe('DISABLED')
    await set('ENABLED')
    await opens()

    await client.destroyCryptoKeyVersion({ name: version })
    time += 30 * day
    expect(await stateOf()).toBe('DESTROYED')
    await expect(client.restoreCryptoKeyVersion({ name: version })).rejects.toEqual(no(9))
    await expect(opens()).rejects.toEqual(no(9))
  })

  it('does not have what it does not have', async () => {
    await expect(client.macSign({ name: 'x', data: text })).rejects.toEqual(no(12))
  })
})
