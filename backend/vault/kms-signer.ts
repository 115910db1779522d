import { createPublicKey, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { WaybillError } from '../../shared/errors.ts'
import { createCrc32c } from './crc32c.ts'
import { createKmsCalls } from './kms-calls.ts'
import type { KmsCallOptions } from './kms-calls.ts'
import { numberIn } from './kms-wrapper.ts'
import type { Signer } from './signer.ts'

const VERSION =
  /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[\w-]{1,63}\/cryptoKeys\/[\w-]{1,63}\/cryptoKeyVersions\/[1-9]\d*$/

/** What a signer over Cloud KMS needs. */
export interface KmsSignerOptions extends KmsCallOptions {
  /** Name of the key's version: `projects/…/cryptoKeys/…/cryptoKeyVersions/…`, of the algorithm EC_SIGN_ED25519. */
  readonly version: string
}

/**
 * A signing key that never leaves Cloud KMS. What is sent and what comes back is checked by CRC-32C, and each signature by
 * the public key; an answer that does not check out is thrown away and asked for again, three times at most:
 * https://cloud.google.com/kms/docs/data-integrity-guidelines
 *
 * @throws WaybillError `settings_invalid` when `version` is not the name of a version of a key
 */
export function createKmsSigner({ version, ...options }: KmsSignerOptions): Signer {
  if (!VERSION.test(version))
    throw new WaybillError('settings_invalid', 'The signing key is not named as Cloud KMS does')
  const call = createKmsCalls(options)
  let loading: ReturnType<typeof createCrc32c> | undefined
  const loadCrc32c = async () => (loading ??= createCrc32c())
  let known: KeyObject | undefined

  const publicKey = async (): Promise<KeyObject> => {
    if (known !== undefined) return known
    const crc32c = await loadCrc32c()
    const found = await call({
      operation: 'sign',
      send: async (client, sending) => client.getPublicKey({ name: version }, sending),
      read: ({ name, algorithm, pem, pemCrc32c }) => {
        if (name !== version || pem === null || pem === undefined) return null
        return numberIn(pemCrc32c) === crc32c(Buffer.from(pem)) ? { algorithm, pem } : null
      },
    })
    if (found.algorithm !== 'EC_SIGN_ED25519')
      throw new WaybillError('settings_invalid', 'The signing key is not an Ed25519 key')
    known = createPublicKey(found.pem)
    return known
  }

  return {
    publicKey: async () => {
      const { x = '' } = (await publicKey()).export({ format: 'jwk' })
      return Uint8Array.from(Buffer.from(x, 'base64url'))
    },
    sign: async (bytes) => {
      const [key, crc32c] = await Promise.all([publicKey(), loadCrc32c()])
      const request = { name: version, data: bytes, dataCrc32c: { value: crc32c(bytes) } }
      return call({
        operation: 'sign',
        send: async (client, sending) => client.asymmetricSign(request, sending),
        read: ({ name, signature, signatureCrc32c, verifiedDataCrc32c }) => {
          const whole =
            name === version &&
            verifiedDataCrc32c === true &&
            signature instanceof Uint8Array &&
            numberIn(signatureCrc32c) === crc32c(signature) &&
            verify(null, bytes, key, signature)
          return whole ? Uint8Array.from(signature) : null
        },
      })
    },
  }
}
