import { WaybillError } from '../../shared/errors.ts'
import type { Document, Field } from '../store/store.ts'
import type { KeyRecord } from '../vault/user-keys.ts'

/** What is kept of a user's keys: the DEK that seals, and beside it, while it is being replaced, another that opens too. */
export interface KeyRing {
  /** Seals everything new. */
  readonly current: KeyRecord
  /** When the current DEK was made, in milliseconds since 1970; 0 if that was never written down. */
  readonly madeAt: number
  readonly other: OtherDek | null
}

/** The second DEK of a rotation; what is sealed under either opens. */
export interface OtherDek {
  readonly record: KeyRecord
  /** `coming`: nobody seals with it until everybody knows it. `going`: it sealed before, and goes once nothing is left. */
  readonly step: 'coming' | 'going'
  /** Since when, in milliseconds since 1970. */
  readonly since: number
  /** How far the pass has come that brings along what is under a DEK that goes; null between two passes. */
  readonly pass: Pass | null
}

/** A pass over all that is sealed for one user. */
export interface Pass {
  /** When it began, in milliseconds since 1970. */
  readonly began: number
  /** Where it goes on: empty at its beginning. */
  readonly at: string
  /** How many records under the DEK that goes it has found so far. */
  readonly found: number
}

/** @returns whose keys a user's are, in this installation. */
export function keyOwner(env: string, user: string) {
  return { env, tenantId: user, userId: user }
}

/** @returns the document in which a user's keys are kept. */
export function keyDocument(user: string, { current, madeAt, other }: KeyRing): Document {
  const { dekId, kekId, keyEpoch, blindIndex } = current
  const fields = { dekId, kekId, wrapped: text(current.wrapped), keyEpoch, madeAt }
  const document = { key: user, fields, body: blindIndex, expiresAt: null }
  return other === null ? document : { ...document, fields: { ...fields, ...fieldsOfOther(other) } }
}

/** @returns what stands in the place of a user's keys while what they have sealed is being erased: nobody makes new ones. */
export function erasedKey(user: string): Document {
  return { key: user, fields: { erased: true }, body: null, expiresAt: null }
}

/** @returns whether it is what {@link erasedKey} made. */
export function isErasedKey({ fields }: Document): boolean {
  return fields['erased'] === true
}

/**
 * @returns what a document keeps; throws `envelope_refused` if it is damaged, `frozen` while its user is being erased.
 */
export function keyRingFrom(document: Document): KeyRing {
  const { fields, body } = document
  if (isErasedKey(document))
    throw new WaybillError('frozen', 'Everything of this person is being erased.')
  const { dekId, kekId, wrapped, keyEpoch, madeAt = 0 } = fields
  if (body === null) throw damaged()
  return {
    current: {
      dekId: String(dekId),
      kekId: String(kekId),
      wrapped: bytes(wrapped),
      blindIndex: body,
      keyEpoch: Number(keyEpoch),
    },
    madeAt: Number(madeAt),
    other: fields['otherDekId'] === undefined ? null : otherFrom(fields),
  }
}

function fieldsOfOther({ record, step, since, pass }: OtherDek): Record<string, Field> {
  return {
    otherDekId: record.dekId,
    otherKekId: record.kekId,
    otherWrapped: text(record.wrapped),
    otherBlindIndex: text(record.blindIndex),
    otherStep: step,
    otherSince: since,
    ...(pass === null ? {} : { passBegan: pass.began, passAt: pass.at, passFound: pass.found }),
  }
}

function otherFrom(fields: Document['fields']): OtherDek {
  const { otherStep: step, passBegan } = fields
  if (step !== 'coming' && step !== 'going') throw damaged()
  return {
    record: {
      dekId: String(fields['otherDekId']),
      kekId: String(fields['otherKekId']),
      wrapped: bytes(fields['otherWrapped']),
      blindIndex: bytes(fields['otherBlindIndex']),
      keyEpoch: Number(fields['keyEpoch']),
    },
    step,
    since: Number(fields['otherSince']),
    pass:
      passBegan === undefined
        ? null
        : {
            began: Number(passBegan),
            at: String(fields['passAt']),
            found: Number(fields['passFound']),
          },
  }
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString('base64url')
}

function bytes(value: Field | undefined): Uint8Array {
  return Buffer.from(String(value), 'base64url')
}

function damaged(): WaybillError {
  return new WaybillError('envelope_refused', 'A key record is damaged.')
}
