import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  timingSafeEqual,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { WaybillError } from '../../shared/errors.ts'

// C2SP chunked encryption v1 with AES-256-GCM, known as Cobblestone-256: https://c2sp.org/chunked-encryption
// Every message has its own key from a 192-bit salt, so the budget of 2^32 random GCM nonces for a key does not
// apply, and the commitment fixes which key and context a message opens under, which GCM alone does not.
const LABEL = Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0')
const KEY_BYTES = 32
const SALT_BYTES = 24
const NONCE_BYTES = 12
const COMMITMENT_BYTES = 32
const TAG_BYTES = 16
const CHUNK_BYTES = 16 * 1024
const HEADER_BYTES = SALT_BYTES + COMMITMENT_BYTES
const FIRST_BLOCK = Uint8Array.of(1)
const SECOND_BLOCK = Uint8Array.of(2)

/** Gives that many unpredictable bytes, in memory that is the caller's; `randomBytes` of node:crypto is one. */
export type RandomBytes = (count: number) => Uint8Array

/**
 * Seals a message: salt, commitment, then chunks of 16 KiB of which the last is always shorter. The result is
 * 72 bytes longer than a plaintext of up to 16,383 bytes, and 16 bytes more for each further chunk.
 *
 * @param key 32 bytes, for any number of messages. (Node 24 is four times slower when it is handed bare bytes.)
 * @param context what the message is bound to; it is not stored and must be given again to open it.
 * @throws WaybillError `envelope_refused` when the key is not 32 bytes long.
 */
export function seal(
  key: KeyObject,
  context: Uint8Array,
  plaintext: Uint8Array,
  random: RandomBytes,
): Uint8Array {
  if (key.symmetricKeySize !== KEY_BYTES) throw refused()
  const salt = random(SALT_BYTES)
  const derived = deriveKeys(key, salt, context)
  const chunks = Math.floor(plaintext.length / CHUNK_BYTES) + 1
  const sealed = new Uint8Array(HEADER_BYTES + plaintext.length + chunks * TAG_BYTES)
  sealed.set(salt)
  sealed.set(derived.commitment, SALT_BYTES)
  for (let chunk = 0, at = HEADER_BYTES; chunk < chunks; chunk += 1) {
    const from = chunk * CHUNK_BYTES
    const cipher = createCipheriv('aes-256-gcm', derived.key, chunkNonce(derived.nonce, chunk), {
      authTagLength: TAG_BYTES,
    })
    const body = cipher.update(plaintext.subarray(from, from + CHUNK_BYTES))
    cipher.final()
    sealed.set(body, at)
    sealed.set(cipher.getAuthTag(), at + body.length)
    at += body.length + TAG_BYTES
  }
  return sealed
}

/**
 * Opens what {@link seal} made. The plaintext is returned only when every chunk has been verified.
 *
 * @throws WaybillError `envelope_refused` for every cause alike (another key, another context, changed, cut or
 * lengthened bytes), so that an answer never tells which it was.
 */
export function open(key: KeyObject, context: Uint8Array, sealed: Uint8Array): Uint8Array {
  const body = sealed.length - HEADER_BYTES
  const fullChunks = Math.floor(body / (CHUNK_BYTES + TAG_BYTES))
  const lastChunk = body - fullChunks * (CHUNK_BYTES + TAG_BYTES)
  if (key.symmetricKeySize !== KEY_BYTES || body < TAG_BYTES || lastChunk < TAG_BYTES)
    throw refused()
  const derived = deriveKeys(key, sealed.subarray(0, SALT_BYTES), context)
  // Before any AEAD call: GCM would open one ciphertext under two keys, the commitment does not.
  if (!timingSafeEqual(derived.commitment, sealed.subarray(SALT_BYTES, HEADER_BYTES))) {
    throw refused()
  }
  const plaintext = new Uint8Array(body - (fullChunks + 1) * TAG_BYTES)
  for (let chunk = 0, at = HEADER_BYTES; chunk <= fullChunks; chunk += 1) {
    const end = at + (chunk < fullChunks ? CHUNK_BYTES : lastChunk - TAG_BYTES)
    const nonce = chunkNonce(derived.nonce, chunk)
    plaintext.set(openChunk(derived.key, nonce, sealed, at, end), chunk * CHUNK_BYTES)
    at = end + TAG_BYTES
  }
  return plaintext
}

function openChunk(
  key: KeyObject,
  nonce: Uint8Array,
  sealed: Uint8Array,
  start: number,
  end: number,
): Uint8Array {
  // Without authTagLength node:crypto takes tags as short as four bytes.
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(sealed.subarray(end, end + TAG_BYTES))
  const opened = decipher.update(sealed.subarray(start, end))
  try {
    decipher.final()
  } catch {
    // The only thing final() can object to here is the tag.
    throw refused()
  }
  return opened
}

/** HKDF-Expand with SHA-512 (RFC 5869 §2.3) to 76 bytes: two blocks. The key is uniform, so there is no extract. */
function deriveKeys(
  key: KeyObject,
  salt: Uint8Array,
  context: Uint8Array,
): { readonly key: KeyObject; readonly nonce: Uint8Array; readonly commitment: Uint8Array } {
  const info = Buffer.concat([LABEL, salt, context])
  const first = createHmac('sha512', key).update(info).update(FIRST_BLOCK).digest()
  const second = createHmac('sha512', key).update(first).update(info).update(SECOND_BLOCK).digest()
  const okm = Buffer.concat([first, second], KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES)
  const derived = {
    key: createSecretKey(okm.subarray(0, KEY_BYTES)),
    nonce: okm.subarray(KEY_BYTES, KEY_BYTES + NONCE_BYTES),
    commitment: okm.subarray(KEY_BYTES + NONCE_BYTES),
  }
  first.fill(0)
  okm.fill(0, 0, KEY_BYTES)
  return derived
}

function chunkNonce(base: Uint8Array, chunk: number): Uint8Array {
  const nonce = Buffer.from(base)
  nonce.writeUInt32BE((nonce.readUInt32BE(NONCE_BYTES - 4) ^ chunk) >>> 0, NONCE_BYTES - 4)
  return nonce
}

function refused(): WaybillError {
  return new WaybillError('envelope_refused', 'A sealed record was refused')
}
