import { createHash, createPublicKey, verify } from 'node:crypto'
import { WaybillError } from '../../shared/errors.ts'
import type { Signer } from '../vault/signer.ts'

// https://c2sp.org/signed-note
const ED25519 = 0x01
const KEY_BYTES = 32
const ID_BYTES = 4
const SIGNATURE_BYTES = 64
const MOST_SIGNATURES = 16
const NAME = /^[^\s+]+$/u
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u
// Also U+007F to U+009F, which the format lets pass and no text of ours has.
const CONTROL = /(?!\n)\p{Cc}/u

/** A public key with the name that it signs under. */
export interface VerifierKey {
  readonly name: string
  /** As hex, eight digits. */
  readonly id: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
}

/** @returns a public key under a name. Throws `internal` for a name or key that no note can bear. */
export function verifierKey(name: string, publicKey: Uint8Array): VerifierKey {
  if (!NAME.test(name) || publicKey.length !== KEY_BYTES)
    throw new WaybillError('internal', 'A signing key is not fit for a signed note.')
  const hash = createHash('sha256').update(`${name}\n`).update(Uint8Array.of(ED25519))
  const id = hash.update(publicKey).digest().subarray(0, ID_BYTES).toString('hex')
  return { name, id, publicKey }
}

/** @returns the key's text: `name+id+key`, as Go's sumdb and the witnesses of C2SP write it. */
export function formatKey({ name, id, publicKey }: VerifierKey): string {
  const typed = Buffer.concat([Uint8Array.of(ED25519), publicKey])
  return `${name}+${id}+${typed.toString('base64')}`
}

/** @returns the key that a text names; null if it is not the text of an Ed25519 key. */
export function parseKey(text: string): VerifierKey | null {
  const [name = '', id = '', encoded = '', more] = splitKey(text)
  const typed = Buffer.from(encoded, 'base64')
  const isKey =
    more === undefined &&
    NAME.test(name) &&
    typed.length === 1 + KEY_BYTES &&
    typed[0] === ED25519 &&
    typed.toString('base64') === encoded
  if (!isKey) return null
  const key = verifierKey(name, Uint8Array.from(typed.subarray(1)))
  return key.id === id ? key : null
}

/** The key itself may hold a plus, so only the first two are borders. */
function splitKey(text: string): readonly string[] {
  const first = text.indexOf('+')
  const second = text.indexOf('+', first + 1)
  if (first === -1 || second === -1) return []
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)]
}

/**
 * Signs a text under a name.
 *
 * @param text ends with a line feed, and has no other control character
 * @throws WaybillError `internal` for any other text, and what the signer throws
 */
export async function signNote(
  text: string,
  name: string,
  signer: Signer,
): Promise<{ readonly note: string; readonly key: VerifierKey }> {
  if (!text.endsWith('\n') || CONTROL.test(text) || !text.isWellFormed())
    throw new WaybillError('internal', 'A text is not fit for a signed note.')
  const key = verifierKey(name, await signer.publicKey())
  const signature = await signer.sign(Buffer.from(text, 'utf8'))
  const signed = Buffer.concat([Buffer.from(key.id, 'hex'), signature])
  return { note: `${text}\n— ${name} ${signed.toString('base64')}\n`, key }
}

/** What a note turned out to be. */
export type OpenedNote =
  /** `text` with its last line feed, and the keys that signed it. */
  | { readonly kind: 'signed'; readonly text: string; readonly by: readonly VerifierKey[] }
  /** Signed by none of the keys, as far as its signatures say. */
  | { readonly kind: 'unknown' }
  /** One of the keys has not signed what it says. */
  | { readonly kind: 'forged' }
  | { readonly kind: 'malformed' }

/** Verifies a note: whoever signed it besides, each signature that names one of `keys` has to be right. */
export function openNote(note: string, keys: readonly VerifierKey[]): OpenedNote {
  const end = note.lastIndexOf('\n\n')
  if (end === -1 || !note.endsWith('\n') || CONTROL.test(note) || !note.isWellFormed())
    return { kind: 'malformed' }
  const text = note.slice(0, end + 1)
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > MOST_SIGNATURES) return { kind: 'malformed' }
  const by: VerifierKey[] = []
  for (const line of lines) {
    const [, name, encoded = ''] = SIGNATURE_LINE.exec(line) ?? []
    const signed = Buffer.from(encoded, 'base64')
    if (name === undefined || signed.length <= ID_BYTES || signed.toString('base64') !== encoded)
      return { kind: 'malformed' }
    const id = signed.subarray(0, ID_BYTES).toString('hex')
    const key = keys.find((each) => each.name === name && each.id === id)
    if (key === undefined) continue
    if (!isSignature(key, text, signed.subarray(ID_BYTES))) return { kind: 'forged' }
    by.push(key)
  }
  return by.length === 0 ? { kind: 'unknown' } : { kind: 'signed', text, by }
}

function isSignature({ publicKey }: VerifierKey, text: string, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return signature.length === SIGNATURE_BYTES && verify(null, Buffer.from(text), key, signature)
}
