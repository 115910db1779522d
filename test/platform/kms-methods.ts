import { status } from '@grpc/grpc-js'
import { Refusal } from './kms-keys.ts'
import type { Key, Keys, Purpose, Version } from './kms-keys.ts'
import { checksum, lies } from './kms-lies.ts'
import type {
  DecryptRequest,
  DecryptResponse,
  EncryptRequest,
  EncryptResponse,
  Int64Value,
  LieName,
  Method,
  PublicKeyResponse,
  SignRequest,
  SignResponse,
} from './kms-lies.ts'

/** What the network and the service do that is not in a request. */
export interface Moods {
  /** What the network does to the next call that it can be done to. */
  takeLie(method: Method): LieName | null
  /** The version that still encrypts for a while after another became the primary. */
  encryptsUnder(): string | null
}

interface Named {
  readonly name: string
}

const MOST_BYTES = 65_536

/**
 * The methods of `google.cloud.kms.v1.KeyManagementService` that the stand-in has, after Google's own description of
 * them: https://cloud.google.com/kms/docs/reference/rpc/google.cloud.kms.v1
 *
 * @throws Refusal, each of them, for whatever Cloud KMS answers with a status
 */
export function createMethods(keys: Keys, moods: Moods) {
  return {
    createKeyRing: ({ parent, keyRingId }: { parent: string; keyRingId: string }): Named => {
      const name = `${parent}/keyRings/${keyRingId}`
      keys.createRing(name)
      return { name }
    },
    createCryptoKey: ({
      parent,
      cryptoKeyId,
      cryptoKey,
    }: {
      parent: string
      cryptoKeyId: string
      cryptoKey: { purpose: Purpose } | null
    }): Key => keys.createKey(parent, cryptoKeyId, cryptoKey?.purpose),
    getCryptoKey: ({ name }: Named): Key => keys.getKey(name),
    createCryptoKeyVersion: ({ parent }: { parent: string }): Version => keys.createVersion(parent),
    getCryptoKeyVersion: ({ name }: Named): Version => keys.getVersion(name),
    listCryptoKeyVersions: ({
      parent,
      pageSize,
      pageToken,
    }: {
      parent: string
      pageSize: number
      pageToken: string
    }) => {
      const all = keys.listVersions(parent)
      const from = Number(pageToken)
      const to = from + (pageSize > 0 ? pageSize : 100)
      const nextPageToken = to < all.length ? String(to) : ''
      return { cryptoKeyVersions: all.slice(from, to), nextPageToken, totalSize: all.length }
    },
    updateCryptoKeyVersion: ({
      cryptoKeyVersion,
      updateMask,
    }: {
      cryptoKeyVersion: Version
      updateMask: { paths: readonly string[] }
    }): Version => {
      if (updateMask.paths.join() !== 'state')
        throw new Refusal(status.INVALID_ARGUMENT, 'Only the state of a version can be updated.')
      return keys.setState(cryptoKeyVersion.name, cryptoKeyVersion.state)
    },
    updateCryptoKeyPrimaryVersion: ({
      name,
      cryptoKeyVersionId,
    }: {
      name: string
      cryptoKeyVersionId: string
    }): Key => keys.setPrimary(name, cryptoKeyVersionId),
    destroyCryptoKeyVersion: ({ name }: Named): Version => keys.destroy(name),
    restoreCryptoKeyVersion: ({ name }: Named): Version => keys.restore(name),

    encrypt: (sent: EncryptRequest): EncryptResponse => {
      const lie = lies(moods.takeLie('encrypt'))
      const request = { ...sent, ...lie.encryptRequest?.(sent) }
      const { plaintext, additionalAuthenticatedData: aad } = request
      const verifiedPlaintextCrc32c = check('plaintext', plaintext, request.plaintextCrc32c)
      const checksumOfContext = request.additionalAuthenticatedDataCrc32c
      const verifiedAdditionalAuthenticatedDataCrc32c = checkContext(aad, checksumOfContext)
      const name = moods.encryptsUnder() ?? request.name
      const { used, sealed } = keys.encrypt(name, plaintext, aad)
      const response: EncryptResponse = {
        name: used,
        ciphertext: sealed,
        ciphertextCrc32c: checksum(sealed),
        verifiedPlaintextCrc32c,
        verifiedAdditionalAuthenticatedDataCrc32c,
        protectionLevel: 'SOFTWARE',
      }
      return { ...response, ...lie.encryptResponse?.(response) }
    },

    decrypt: (sent: DecryptRequest): DecryptResponse => {
      const lie = lies(moods.takeLie('decrypt'))
      const request = { ...sent, ...lie.decryptRequest?.(sent) }
      const { ciphertext, additionalAuthenticatedData: aad } = request
      check('ciphertext', ciphertext, request.ciphertextCrc32c)
      checkContext(aad, request.additionalAuthenticatedDataCrc32c)
      const { primary, plaintext } = keys.decrypt(request.name, ciphertext, aad)
      const response: DecryptResponse = {
        plaintext,
        plaintextCrc32c: checksum(plaintext),
        usedPrimary: primary,
        protectionLevel: 'SOFTWARE',
      }
      return { ...response, ...lie.decryptResponse?.(response) }
    },

    asymmetricSign: (sent: SignRequest): SignResponse => {
      const lie = lies(moods.takeLie('asymmetricSign'))
      const request = { ...sent, ...lie.asymmetricSignRequest?.(sent) }
      const verifiedDataCrc32c = check('data', request.data, request.dataCrc32c)
      const signature = keys.sign(request.name, request.data)
      const response: SignResponse = {
        name: request.name,
        signature,
        signatureCrc32c: checksum(signature),
        verifiedDataCrc32c,
        protectionLevel: 'SOFTWARE',
      }
      return { ...response, ...lie.asymmetricSignResponse?.(response) }
    },

    getPublicKey: ({ name }: Named): PublicKeyResponse => {
      const lie = lies(moods.takeLie('getPublicKey'))
      const pem = keys.publicKey(name)
      const response: PublicKeyResponse = {
        name,
        algorithm: 'EC_SIGN_ED25519',
        pem,
        pemCrc32c: checksum(Buffer.from(pem)),
      }
      return { ...response, ...lie.getPublicKeyResponse?.(response) }
    },
  }
}

function checkContext(aad: Uint8Array, sent: Int64Value | null): boolean {
  return check('additional_authenticated_data', aad, sent)
}

/** @returns whether there was a checksum, and so whether the bytes were verified. */
function check(field: string, bytes: Uint8Array, sent: Int64Value | null): boolean {
  if (bytes.length > MOST_BYTES)
    throw new Refusal(status.INVALID_ARGUMENT, `The ${field} is longer than 64 KiB.`)
  if (sent !== null && sent.value !== checksum(bytes).value)
    throw new Refusal(
      status.INVALID_ARGUMENT,
      `The checksum in field ${field}_crc32c did not match.`,
    )
  return sent !== null
}
