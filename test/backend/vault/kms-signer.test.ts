import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createKmsSigner } from '../../../backend/vault/kms-signer.ts'
import type { KmsClient } from '../../../backend/vault/kms-calls.ts'
import type { Signer } from '../../../backend/vault/signer.ts'
import { describeSigner } from '../../contract/signer.ts'
import { startKms } from '../../platform/kms.ts'
import type { StartedKms } from '../../platform/kms.ts'
import { liesAbout } from '../../platform/kms-lies.ts'
import { failureOf } from './kms-under-test.ts'

const ring = 'projects/p/locations/europe-west1/keyRings/waybill'
const text = Buffer.from('waybill.example/audit/tenant\n1\n')

const closers: (() => Promise<void>)[] = []
let kms: StartedKms
let version: string
beforeEach(async () => {
  kms = await startKms()
  kms.keys.createRing(ring)
  version = `${kms.keys.createKey(ring, 'heads', 'ASYMMETRIC_SIGN').name}/cryptoKeyVersions/1`
})
afterEach(async () => {
  await Promise.all(closers.splice(0).map(async (close) => close()))
  await kms.close()
})

function signerOf(client: KmsClient = kms.client(), named = version): Signer {
  return createKmsSigner({ version: named, open: () => client, now: () => 0 })
}

describeSigner('Cloud KMS', async () => {
  const gone = await startKms()
  const lost = gone.client()
  await gone.close()
  closers.push(async () => lost.close())
  return { signer: signerOf(), unreachable: async () => signerOf(lost) }
})

describe('the KMS signer', () => {
  it.each([...liesAbout('asymmetricSign'), ...liesAbout('getPublicKey')])(
    'takes nothing for signed: %s',
    async (lie) => {
      const signer = signerOf()
      kms.lie(lie)
      expect((await failureOf(signer.sign(text))).code).toBe('key_unavailable')
    },
  )

  it.each([...liesAbout('asymmetricSign'), ...liesAbout('getPublicKey')])(
    'asks again, and signs once the network is right: %s',
    async (lie) => {
      const signer = signerOf()
      kms.lie(lie, 1)
      expect(await signer.sign(text)).toHaveLength(64)
    },
  )

  it('asks for the public key once, and for each signature once', async () => {
    const signer = signerOf()
    for (let n = 0; n < 3; n += 1) await signer.sign(Buffer.from(`${n}`))
    await signer.publicKey()
    expect([kms.calls('getPublicKey'), kms.calls('asymmetricSign')]).toEqual([1, 3])
  })

  it('waits for a version that is disabled, and signs when it is enabled again', async () => {
    await signerOf().sign(text)
    kms.keys.setState(version, 'DISABLED')
    expect((await failureOf(signerOf().sign(text))).code).toBe('key_unavailable')
    kms.keys.setState(version, 'ENABLED')
    expect(await signerOf().sign(text)).toHaveLength(64)
  })

  it('takes no key that encrypts, and no name of another kind', async () => {
    const { name } = kms.keys.createKey(ring, 'keks')
    const wrong = signerOf(kms.client(), `${name}/cryptoKeyVersions/1`)
    expect((await failureOf(wrong.sign(text))).code).toBe('key_unavailable')
    for (const unfit of [name, `${name}/cryptoKeyVersions/0`, 'heads'])
      expect(() => signerOf(kms.client(), unfit)).toThrow(
        expect.objectContaining({ code: 'settings_invalid' }),
      )
  })
})
