import { createPublicKey, sign } from 'node:crypto'
import { WaybillError } from '../../shared/errors.ts'
import type { Signer } from './signer.ts'
import type { Wallet } from './wallet.ts'

/** @returns a signer with the newest signing key of an opened wallet; each wallet has been made with one. */
export function createWalletSigner({ signKeys }: Pick<Wallet, 'signKeys'>): Signer {
  const newest = () => {
    const [key] = signKeys
      // Of two made in the same millisecond the one added last is the newer.
      .toReversed()
      .toSorted((one, other) => Date.parse(other.created) - Date.parse(one.created))
    if (key === undefined)
      throw new WaybillError('key_unavailable', 'The wallet holds no key that may sign')
    return key.key
  }
  return {
    publicKey: async () => {
      const { x = '' } = createPublicKey(newest()).export({ format: 'jwk' })
      return Uint8Array.from(Buffer.from(x, 'base64url'))
    },
    sign: async (bytes) => Uint8Array.from(sign(null, bytes, newest())),
  }
}
