import { WaybillError } from '../../shared/errors.ts'

/** Whose key it is. */
export interface KeyOwner {
  /** The deployment: a copy of the production database opens nothing elsewhere. */
  readonly env: string
  readonly tenantId: string
  readonly userId: string
}

/** Where a sealed record belongs, apart from its owner and DEK, which the {@link KeyOwner} and the sealer add. */
export interface RecordContext {
  readonly collection: string
  readonly docId: string
  readonly field: string
  /** A whole number from 0. */
  readonly schemaVersion: number
  /** A whole number from 0 that the writer raises, so that an older sealed value is not taken for the present one. */
  readonly rev: number
}

/** What a wrapped DEK is bound to. */
export interface WrapContext extends KeyOwner {
  readonly dekId: string
  /** What the key is for, such as `dek-wrap`. */
  readonly purpose: string
}

/**
 * Encodes the context (AAD) of a record. Two different contexts never have equal encodings: every field is preceded by
 * its length, because a delimiter may occur in a field.
 *
 * @throws WaybillError `envelope_refused` for a string that UTF-8 cannot hold (an unpaired surrogate) or a number that
 * is not a whole one from 0.
 */
export function encodeRecordContext(
  owner: KeyOwner,
  dekId: string,
  record: RecordContext,
): Uint8Array {
  return encode([
    'waybill-aad-v1',
    owner.env,
    owner.tenantId,
    owner.userId,
    record.collection,
    record.docId,
    record.field,
    decimal(record.schemaVersion),
    dekId,
    decimal(record.rev),
  ])
}

/**
 * Encodes what a wrapped DEK is bound to, for use as the AAD of a {@link KeyWrapper}.
 *
 * @throws WaybillError `envelope_refused` for a string that UTF-8 cannot hold.
 */
export function encodeWrapContext(context: WrapContext): Uint8Array {
  return encode([
    'waybill-wrap-v1',
    context.env,
    context.tenantId,
    context.userId,
    context.dekId,
    context.purpose,
  ])
}

/** The label comes first, bare and of a fixed length for its number of fields; then u32be length ‖ UTF-8 for each. */
function encode(parts: readonly string[]): Uint8Array {
  let size = 0
  for (const part of parts) {
    // UTF-8 would write U+FFFD for any unpaired surrogate, and so make different strings equal.
    if (!part.isWellFormed()) throw unencodable()
    size += 4 + Buffer.byteLength(part)
  }
  const [label = '', ...fields] = parts
  const encoded = Buffer.alloc(size - 4)
  let at = encoded.write(label, 'latin1')
  for (const field of fields) {
    const length = encoded.write(field, at + 4)
    encoded.writeUInt32BE(length, at)
    at += 4 + length
  }
  return encoded
}

function decimal(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw unencodable()
  return String(value)
}

function unencodable(): WaybillError {
  return new WaybillError('envelope_refused', 'A record context cannot be encoded')
}
