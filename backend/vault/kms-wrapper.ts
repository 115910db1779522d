import type { protos } from '@google-cloud/kms'
import { WaybillError } from '../../shared/errors.ts'
import { encodeWrapContext } from './context.ts'
import { createCrc32c } from './crc32c.ts'
import type { RotatingKeyWrapper } from './key-wrapper.ts'
import { createKmsCalls } from './kms-calls.ts'
import type { KmsCallOptions } from './kms-calls.ts'
import { belongsTo, ciphertextIn, joinWrapped } from './kms-wrapped.ts'

type IDecryptResponse = protos.google.cloud.kms.v1.IDecryptResponse
type IInt64Value = protos.google.protobuf.IInt64Value

const DEK_BYTES = 32
const KEY = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[\w-]{1,63}\/cryptoKeys\/[\w-]{1,63}$/
const VERSIONS = '/cryptoKeyVersions/'

/** What a wrapper over Cloud KMS needs. */
export interface KmsWrapperOptions extends KmsCallOptions {
  /** The key's resource name: `projects/…/locations/…/keyRings/…/cryptoKeys/…`, symmetric, to encrypt and decrypt. */
  readonly key: string
}

/**
 * KEKs that never leave Cloud KMS: the versions of one key, of which the primary one wraps. The context goes along as
 * additional authenticated data; what is sent and what comes back is checked by CRC-32C, and an answer that does not
 * check out is thrown away and asked for again, three times at most:
 * https://cloud.google.com/kms/docs/data-integrity-guidelines
 *
 * While the key cannot be had, one call at a time finds out whether it is back, and the others fail at once with
 * `key_unavailable`, the reason, and how long to wait.
 *
 * @throws WaybillError `settings_invalid` when `key` is not the name of a key
 */
export function createKmsWrapper({ key, ...options }: KmsWrapperOptions): RotatingKeyWrapper {
  if (!KEY.test(key)) {
    throw new WaybillError('settings_invalid', 'The key is not named as Cloud KMS names keys')
  }
  const call = createKmsCalls(options)
  let loading: ReturnType<typeof createCrc32c> | undefined
  const loadCrc32c = async () => (loading ??= createCrc32c())

  return {
    wrap: async (dek, context) => {
      if (dek.length !== DEK_BYTES) {
        throw new WaybillError('envelope_refused', 'Only a key of 32 bytes can be wrapped')
      }
      const aad = encodeWrapContext(context)
      const crc32c = await loadCrc32c()
      const request = {
        name: key,
        plaintext: dek,
        plaintextCrc32c: { value: crc32c(dek) },
        additionalAuthenticatedData: aad,
        additionalAuthenticatedDataCrc32c: { value: crc32c(aad) },
      }
      return call({
        operation: 'wrap',
        send: async (client, sending) => client.encrypt(request, sending),
        read: (answer) => {
          const { name, ciphertext, ciphertextCrc32c } = answer
          const whole =
            answer.verifiedPlaintextCrc32c === true &&
            answer.verifiedAdditionalAuthenticatedDataCrc32c === true &&
            ciphertext instanceof Uint8Array &&
            numberIn(ciphertextCrc32c) === crc32c(ciphertext)
          if (!whole || !isVersionOf(key, name)) return null
          return { kekId: name, wrapped: joinWrapped(dek, name, ciphertext) }
        },
      })
    },

    unwrap: async ({ kekId, wrapped }, context) => {
      if (!isVersionOf(key, kekId)) {
        throw new WaybillError('key_unavailable', 'A record is under another key than the one set')
      }
      const ciphertext = ciphertextIn(wrapped)
      if (ciphertext === null) throw refused()
      const aad = encodeWrapContext(context)
      const crc32c = await loadCrc32c()
      const request = {
        // Not the version: Cloud KMS finds it in the ciphertext, and takes no other name to decrypt.
        name: key,
        ciphertext,
        ciphertextCrc32c: { value: crc32c(ciphertext) },
        additionalAuthenticatedData: aad,
        additionalAuthenticatedDataCrc32c: { value: crc32c(aad) },
      }
      const dek = await call<IDecryptResponse, Uint8Array | 'refused'>({
        operation: 'unwrap',
        kekId,
        send: async (client, sending) => client.decrypt(request, sending),
        read: ({ plaintext, plaintextCrc32c }) => {
          if (!(plaintext instanceof Uint8Array)) return null
          if (numberIn(plaintextCrc32c) !== crc32c(plaintext)) return null
          const mine = Uint8Array.from(plaintext)
          plaintext.fill(0)
          if (belongsTo(mine, kekId, wrapped)) return mine
          mine.fill(0)
          return 'refused'
        },
        invalid: { kind: 'done', value: 'refused' },
      })
      if (dek === 'refused') throw refused()
      return dek
    },

    kekIds: async () => {
      const primary = await call({
        operation: 'list',
        send: async (client, sending) => client.getCryptoKey({ name: key }, sending),
        read: ({ primary: version }) => (isVersionOf(key, version?.name) ? version.name : null),
      })
      const all = await call({
        operation: 'list',
        send: async (client, sending) => client.listCryptoKeyVersions({ parent: key }, sending),
        read: (versions) =>
          versions.map(({ name }) => name).filter((name) => isVersionOf(key, name)),
      })
      return [primary, ...all.filter((name) => name !== primary)]
    },
  }
}

function isVersionOf(key: string, name: string | null | undefined): name is string {
  const prefix = `${key}${VERSIONS}`
  return name?.startsWith(prefix) === true && /^[1-9]\d*$/.test(name.slice(prefix.length))
}

/** An `int64` comes as a number, a string or a Long; a checksum fits a number. NaN, which equals nothing, if absent. */
export function numberIn(checksum: IInt64Value | null | undefined): number {
  return Number(String(checksum?.value))
}

function refused(): WaybillError {
  return new WaybillError('envelope_refused', 'A wrapped key was refused')
}
