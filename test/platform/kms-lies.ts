import { crc32cOf } from './crc32c.ts'

/** An `int64` that may be absent, as gRPC carries it. */
export interface Int64Value {
  readonly value: string
}

export interface EncryptRequest {
  readonly name: string
  readonly plaintext: Buffer
  readonly additionalAuthenticatedData: Buffer
  readonly plaintextCrc32c: Int64Value | null
  readonly additionalAuthenticatedDataCrc32c: Int64Value | null
}

export interface EncryptResponse {
  readonly name: string
  readonly ciphertext: Buffer
  readonly ciphertextCrc32c: Int64Value | null
  readonly verifiedPlaintextCrc32c: boolean
  readonly verifiedAdditionalAuthenticatedDataCrc32c: boolean
  readonly protectionLevel: 'SOFTWARE'
}

export interface DecryptRequest {
  readonly name: string
  readonly ciphertext: Buffer
  readonly additionalAuthenticatedData: Buffer
  readonly ciphertextCrc32c: Int64Value | null
  readonly additionalAuthenticatedDataCrc32c: Int64Value | null
}

export interface DecryptResponse {
  readonly plaintext: Buffer
  readonly plaintextCrc32c: Int64Value | null
  readonly usedPrimary: boolean
  readonly protectionLevel: 'SOFTWARE'
}

export interface SignRequest {
  readonly name: string
  readonly data: Buffer
  readonly dataCrc32c: Int64Value | null
}

export interface SignResponse {
  readonly name: string
  readonly signature: Buffer
  readonly signatureCrc32c: Int64Value | null
  readonly verifiedDataCrc32c: boolean
  readonly protectionLevel: 'SOFTWARE'
}

export interface PublicKeyResponse {
  readonly name: string
  readonly algorithm: 'EC_SIGN_ED25519'
  readonly pem: string
  readonly pemCrc32c: Int64Value | null
}

export type Method = 'encrypt' | 'decrypt' | 'asymmetricSign' | 'getPublicKey'

/** What a broken network does to a request before Cloud KMS reads it, or to an answer after Cloud KMS has given it. */
interface Lie {
  readonly encryptRequest?: (request: EncryptRequest) => Partial<EncryptRequest>
  readonly encryptResponse?: (response: EncryptResponse) => Partial<EncryptResponse>
  readonly decryptRequest?: (request: DecryptRequest) => Partial<DecryptRequest>
  readonly decryptResponse?: (response: DecryptResponse) => Partial<DecryptResponse>
  readonly asymmetricSignRequest?: (request: SignRequest) => Partial<SignRequest>
  readonly asymmetricSignResponse?: (response: SignResponse) => Partial<SignResponse>
  readonly getPublicKeyResponse?: (response: PublicKeyResponse) => Partial<PublicKeyResponse>
}

const named = {
  'plaintext flipped on its way there': {
    encryptRequest: ({ plaintext }) => ({ plaintext: flipped(plaintext) }),
  },
  'context flipped on its way there': {
    encryptRequest: (request) => flippedContext(request),
    decryptRequest: (request) => flippedContext(request),
  },
  'ciphertext flipped on its way there': {
    decryptRequest: ({ ciphertext }) => ({ ciphertext: flipped(ciphertext) }),
  },
  'checksums of the request lost': {
    encryptRequest: () => ({ plaintextCrc32c: null, additionalAuthenticatedDataCrc32c: null }),
  },
  'plaintext flipped and its checksum lost': {
    encryptRequest: ({ plaintext }) => ({ plaintext: flipped(plaintext), plaintextCrc32c: null }),
  },
  'ciphertext flipped on its way back': {
    encryptResponse: ({ ciphertext }) => ({ ciphertext: flipped(ciphertext) }),
  },
  'ciphertext cut': {
    encryptResponse: ({ ciphertext }) => ({ ciphertext: ciphertext.subarray(0, -1) }),
  },
  'ciphertext and its checksum exchanged': {
    encryptResponse: ({ ciphertext }) => ({
      ciphertext: flipped(ciphertext),
      ciphertextCrc32c: checksum(flipped(ciphertext)),
    }),
  },
  'checksum of the ciphertext wrong': {
    encryptResponse: ({ ciphertext }) => ({ ciphertextCrc32c: checksum(flipped(ciphertext)) }),
  },
  'checksum of the ciphertext missing': { encryptResponse: () => ({ ciphertextCrc32c: null }) },
  'flag for the plaintext missing': {
    encryptResponse: () => ({ verifiedPlaintextCrc32c: false }),
  },
  'flag for the context missing': {
    encryptResponse: () => ({ verifiedAdditionalAuthenticatedDataCrc32c: false }),
  },
  'name of another key': {
    encryptResponse: ({ name }) => ({
      name: name.replace(/\/cryptoKeys\/[^/]+/, '/cryptoKeys/another'),
    }),
  },
  'name of a key that begins alike': {
    encryptResponse: ({ name }) => ({ name: name.replace('/cryptoKeyVersions/', '2$&') }),
  },
  'name of no version': {
    encryptResponse: ({ name }) => ({ name: name.replace(/\/cryptoKeyVersions\/.*/, '') }),
  },
  'name missing': { encryptResponse: () => ({ name: '' }) },
  'plaintext flipped on its way back': {
    decryptResponse: ({ plaintext }) => ({ plaintext: flipped(plaintext) }),
  },
  'plaintext missing': { decryptResponse: () => ({ plaintext: Buffer.alloc(0) }) },
  'plaintext and its checksum exchanged': {
    decryptResponse: ({ plaintext }) => ({
      plaintext: flipped(plaintext),
      plaintextCrc32c: checksum(flipped(plaintext)),
    }),
  },
  'plaintext of another length': {
    decryptResponse: ({ plaintext }) => ({
      plaintext: plaintext.subarray(1),
      plaintextCrc32c: checksum(plaintext.subarray(1)),
    }),
  },
  'checksum of the plaintext wrong': {
    decryptResponse: ({ plaintext }) => ({ plaintextCrc32c: checksum(flipped(plaintext)) }),
  },
  'checksum of the plaintext missing': { decryptResponse: () => ({ plaintextCrc32c: null }) },
  'data flipped on its way there': {
    asymmetricSignRequest: ({ data }) => ({ data: flipped(data) }),
  },
  'data flipped and its checksum lost': {
    asymmetricSignRequest: ({ data }) => ({ data: flipped(data), dataCrc32c: null }),
  },
  'data and its checksum exchanged': {
    asymmetricSignRequest: ({ data }) => ({
      data: flipped(data),
      dataCrc32c: checksum(flipped(data)),
    }),
  },
  'signature flipped on its way back': {
    asymmetricSignResponse: ({ signature }) => ({ signature: flipped(signature) }),
  },
  'signature and its checksum exchanged': {
    asymmetricSignResponse: ({ signature }) => ({
      signature: flipped(signature),
      signatureCrc32c: checksum(flipped(signature)),
    }),
  },
  'checksum of the signature missing': {
    asymmetricSignResponse: () => ({ signatureCrc32c: null }),
  },
  'flag for the data missing': { asymmetricSignResponse: () => ({ verifiedDataCrc32c: false }) },
  'name of another version that signs': {
    asymmetricSignResponse: ({ name }) => ({ name: `${name}0` }),
  },
  'name of another version of the public key': {
    getPublicKeyResponse: ({ name }) => ({ name: `${name}0` }),
  },
  'public key changed on its way back': {
    getPublicKeyResponse: ({ pem }) => ({ pem: pem.replace('MC', 'MD') }),
  },
  'checksum of the public key missing': { getPublicKeyResponse: () => ({ pemCrc32c: null }) },
} satisfies Record<string, Lie>

export type LieName = keyof typeof named

const table: Readonly<Record<LieName, Lie>> = named

/** @returns what it does to a call; of null, nothing. */
export function lies(name: LieName | null): Lie {
  return name === null ? {} : table[name]
}

/** @returns the names of those that do something to this method. */
export function liesAbout(method: Method): readonly LieName[] {
  const isName = (name: string): name is LieName => name in table
  return Object.keys(table)
    .filter(isName)
    .filter((name) => `${method}Request` in table[name] || `${method}Response` in table[name])
}

/** @returns the checksum as gRPC carries it. */
export function checksum(bytes: Uint8Array): Int64Value {
  return { value: String(crc32cOf(bytes)) }
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  const last = copy.length - 1
  copy[last] = (copy[last] ?? 0) ^ 1
  return copy
}

function flippedContext(request: EncryptRequest | DecryptRequest) {
  return { additionalAuthenticatedData: flipped(request.additionalAuthenticatedData) }
}
