import { WaybillError } from '../../shared/errors.ts'
import { open, seal } from './cobblestone.ts'
import type { RandomBytes } from './cobblestone.ts'
import { encodeWrapContext } from './context.ts'
import type { RotatingKeyWrapper } from './key-wrapper.ts'
import type { Kek, Wallet } from './wallet.ts'

const DEK_BYTES = 32

/** @returns a wrapper over the KEKs of an opened wallet. */
export function createWalletWrapper(
  { keks }: Pick<Wallet, 'keks'>,
  random: RandomBytes,
): RotatingKeyWrapper {
  return {
    wrap: async (dek, context) => {
      if (dek.length !== DEK_BYTES) {
        throw new WaybillError('envelope_refused', 'Only a key of 32 bytes can be wrapped')
      }
      const kek = newestOf(keks)
      return { kekId: kek.id, wrapped: seal(kek.key, encodeWrapContext(context), dek, random) }
    },
    unwrap: async ({ kekId, wrapped }, context) => {
      const kek = keks.find(({ id }) => id === kekId)
      if (kek === undefined) {
        throw new WaybillError('key_unavailable', 'The wallet does not hold the key asked for')
      }
      return open(kek.key, encodeWrapContext(context), wrapped)
    },
    kekIds: async () => {
      const newest = newestOf(keks).id
      return [newest, ...keks.map(({ id }) => id).filter((id) => id !== newest)]
    },
  }
}

function newestOf(keks: readonly Kek[]): Kek {
  const [newest] = keks
    .filter(({ state }) => state === 'active')
    // Of two made in the same millisecond the one added last is the newer.
    .toReversed()
    .toSorted((one, other) => Date.parse(other.created) - Date.parse(one.created))
  if (newest === undefined) {
    throw new WaybillError('key_unavailable', 'The wallet holds no key that may wrap')
  }
  return newest
}
