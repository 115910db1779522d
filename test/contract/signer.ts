import { createPublicKey, verify } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { Signer } from '../../backend/vault/signer.ts'

/** A signer to be tested, and what only its maker can do to it. */
export interface SignerUnderTest {
  readonly signer: Signer
  /** Gives a signer whose key cannot be reached. */
  readonly unreachable: () => Promise<Signer>
}

const text = Buffer.from('waybill.example/audit/tenant\n1\n')

async function verifies(signer: Signer, bytes: Uint8Array, by: Signer): Promise<boolean> {
  const x = Buffer.from(await by.publicKey()).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return verify(null, text, key, await signer.sign(bytes))
}

/** Declares the suite of the {@link Signer} contract: one test for each of its sentences. */
export function describeSigner(name: string, setUp: () => Promise<SignerUnderTest>): void {
  describe(`signer contract: ${name}`, () => {
    it('has a public key of 32 bytes that stays the same', async () => {
      const { signer } = await setUp()
      const key = await signer.publicKey()
      expect(key).toHaveLength(32)
      expect(await signer.publicKey()).toEqual(key)
    })

    it('makes signatures of 64 bytes that verify with its public key, and for nothing else', async () => {
      const { signer } = await setUp()
      expect(await signer.sign(text)).toHaveLength(64)
      expect(await verifies(signer, text, signer)).toBe(true)
      expect(await verifies(signer, Buffer.from('another'), signer)).toBe(false)
    })

    it('signs the same bytes alike, and up to 64 KiB of them', async () => {
      const { signer } = await setUp()
      expect(await signer.sign(text)).toEqual(await signer.sign(text))
      expect(await signer.sign(new Uint8Array(64 * 1024))).toHaveLength(64)
    })

    it('is unavailable for as long as its key cannot be reached', async () => {
      const signer = await (await setUp()).unreachable()
      const unavailable = expect.objectContaining({ code: 'key_unavailable' })
      await expect(signer.sign(text)).rejects.toEqual(unavailable)
      await expect(signer.publicKey()).rejects.toEqual(unavailable)
    })
  })
}
