import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

// bytes: version ‖ HMAC-SHA-256 of (KEK id ‖ ciphertext) ‖ ciphertext
const VERSION = 1
const CHECK_BYTES = 32
const HEAD_BYTES = 1 + CHECK_BYTES

/**
 * Writes what is stored of a DEK that Cloud KMS encrypted. Cloud KMS does not say which version of a key decrypted
 * something; the check, with a key that comes from the DEK, binds the ciphertext to the KEK id that is kept beside it. It
 * also tells whether what comes back from Cloud KMS is the DEK that went there, which a checksum sent along cannot.
 */
export function joinWrapped(dek: Uint8Array, kekId: string, ciphertext: Uint8Array): Uint8Array {
  const wrapped = new Uint8Array(HEAD_BYTES + ciphertext.length)
  wrapped[0] = VERSION
  wrapped.set(checkOf(dek, kekId, ciphertext), 1)
  wrapped.set(ciphertext, HEAD_BYTES)
  return wrapped
}

/** @returns the ciphertext for Cloud KMS; null if the bytes are not what {@link joinWrapped} writes. */
export function ciphertextIn(wrapped: Uint8Array): Uint8Array | null {
  return wrapped[0] === VERSION && wrapped.length > HEAD_BYTES ? wrapped.subarray(HEAD_BYTES) : null
}

/** @returns whether these bytes were joined for this DEK and this KEK id. */
export function belongsTo(dek: Uint8Array, kekId: string, wrapped: Uint8Array): boolean {
  const check = checkOf(dek, kekId, wrapped.subarray(HEAD_BYTES))
  return timingSafeEqual(check, wrapped.subarray(1, HEAD_BYTES))
}

function checkOf(dek: Uint8Array, kekId: string, ciphertext: Uint8Array): Uint8Array {
  const key = new Uint8Array(hkdfSync('sha512', dek, '', 'waybill/v1/wrapped-by', CHECK_BYTES))
  // A KEK id is plain text without a zero byte, so the two never run together.
  const check = createHmac('sha256', key).update(`${kekId}\0`).update(ciphertext).digest()
  key.fill(0)
  return check
}
