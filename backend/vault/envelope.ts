import type { KeyObject } from 'node:crypto'
import { WaybillError } from '../../shared/errors.ts'
import { open, seal } from './cobblestone.ts'
import type { RandomBytes } from './cobblestone.ts'

// bytes: 'WB' ‖ version ‖ suite ‖ length of the DEK id ‖ DEK id ‖ Cobblestone-256 message
// text:  wb1.<DEK id>.<the bytes in canonical base64url>
const MAGIC = Buffer.from('WB')
const VERSION = 1
const COBBLESTONE_256 = 1
const FIXED_BYTES = 5
const DEK_ID = /^[A-Za-z0-9_-]{1,32}$/
const TEXT = /^wb1\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]+)$/
const MAX_ENVELOPE_BYTES = 256 * 1024

/** The key a record is sealed under, the id of the DEK it comes from, and the encoded context (AAD). */
export interface EnvelopeKey {
  readonly key: KeyObject
  readonly dekId: string
}

/**
 * Seals a record into a `wb1` envelope of at most 256 KiB. The context is bound together with the envelope's own
 * header, so that neither version, suite nor DEK id can be exchanged.
 *
 * @throws WaybillError `envelope_refused` when the DEK id is not 1 to 32 base64url characters or the plaintext too long.
 */
export function sealEnvelope(
  { key, dekId }: EnvelopeKey,
  context: Uint8Array,
  plaintext: Uint8Array,
  random: RandomBytes,
): Uint8Array {
  if (!DEK_ID.test(dekId)) throw refused()
  const fixed = String.fromCharCode(VERSION, COBBLESTONE_256, dekId.length)
  const header = Buffer.from(`${MAGIC.toString('latin1')}${fixed}${dekId}`, 'latin1')
  const sealed = seal(key, Buffer.concat([header, context]), plaintext, random)
  if (header.length + sealed.length > MAX_ENVELOPE_BYTES) {
    throw new WaybillError('envelope_refused', 'A record is too long to be sealed')
  }
  const envelope = new Uint8Array(header.length + sealed.length)
  envelope.set(header)
  envelope.set(sealed, header.length)
  return envelope
}

/**
 * Opens a `wb1` envelope.
 *
 * @throws WaybillError `envelope_refused` for whatever is not exactly what {@link sealEnvelope} made with this key, DEK
 * id and context: there is no other answer, and nothing is ever passed through unopened.
 */
export function openEnvelope(
  { key, dekId }: EnvelopeKey,
  context: Uint8Array,
  envelope: Uint8Array,
): Uint8Array {
  if (readDekId(envelope) !== dekId) throw refused()
  const headerBytes = FIXED_BYTES + dekId.length
  const bound = Buffer.concat([envelope.subarray(0, headerBytes), context])
  return open(key, bound, envelope.subarray(headerBytes))
}

/**
 * @returns the id of the DEK an envelope says it was sealed under. Nobody has vouched for it before it is opened.
 * @throws WaybillError `envelope_refused` for another magic, version or suite, a malformed id, or more than 256 KiB.
 */
export function readDekId(envelope: Uint8Array): string {
  const length = envelope[4] ?? 0
  const dekId = Buffer.from(envelope.subarray(FIXED_BYTES, FIXED_BYTES + length)).toString('latin1')
  const known =
    envelope.length <= MAX_ENVELOPE_BYTES &&
    envelope[0] === MAGIC[0] &&
    envelope[1] === MAGIC[1] &&
    envelope[2] === VERSION &&
    envelope[3] === COBBLESTONE_256 &&
    dekId.length === length &&
    DEK_ID.test(dekId)
  if (!known) throw refused()
  return dekId
}

/**
 * Writes an envelope as text, for places that hold no bytes.
 *
 * @throws WaybillError `envelope_refused` when it is not an envelope.
 */
export function envelopeToText(envelope: Uint8Array): string {
  return `wb1.${readDekId(envelope)}.${Buffer.from(envelope).toString('base64url')}`
}

/**
 * Reads the text form back. Every envelope has exactly one text.
 *
 * @throws WaybillError `envelope_refused` for another prefix, base64url that is padded, spaced or has stray bits in its
 * last character, or a DEK id that differs from the one inside.
 */
export function envelopeFromText(text: string): Uint8Array {
  const [, dekId, encoded = ''] = TEXT.exec(text) ?? []
  const envelope = Buffer.from(encoded, 'base64url')
  // Node reads sloppy base64url without complaint, and a second spelling of a value would dodge comparisons.
  if (envelope.toString('base64url') !== encoded || readDekId(envelope) !== dekId) throw refused()
  return Uint8Array.from(envelope)
}

function refused(): WaybillError {
  return new WaybillError('envelope_refused', 'A sealed record was refused')
}
