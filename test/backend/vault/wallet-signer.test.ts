import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { createWalletSigner } from '../../../backend/vault/wallet-signer.ts'
import { describeSigner } from '../../contract/signer.ts'

function signKey(id: string, day: string) {
  const key = generateKeyPairSync('ed25519').privateKey
  return { id, key, created: `2026-11-${day}T00:00:00Z` }
}

describeSigner('wallet', async () => ({
  signer: createWalletSigner({ signKeys: [signKey('one', '01')] }),
  unreachable: async () => createWalletSigner({ signKeys: [] }),
}))

describe('the wallet signer', () => {
  it('signs with the newest key, and of two that are equally old with the one added last', async () => {
    const [old, first, second] = [signKey('a', '01'), signKey('b', '02'), signKey('c', '02')]
    const newest = await createWalletSigner({ signKeys: [second] }).publicKey()
    for (const signKeys of [
      [old, first, second],
      [first, second, old],
    ])
      expect(await createWalletSigner({ signKeys }).publicKey()).toEqual(newest)
  })
})
