import { WaybillError } from '../../shared/errors.ts'
import type { Document } from '../store/store.ts'
import type { KeyRecord } from '../vault/user-keys.ts'

/** @returns whose keys a user's are, in this installation. */
export function keyOwner(env: string, user: string) {
  return { env, tenantId: user, userId: user }
}

/** @returns the document in which a user's keys are kept. */
export function keyDocument(user: string, record: KeyRecord): Document {
  const { dekId, kekId, keyEpoch, blindIndex } = record
  const wrapped = Buffer.from(record.wrapped).toString('base64url')
  const fields = { dekId, kekId, wrapped, keyEpoch }
  return { key: user, fields, body: blindIndex, expiresAt: null }
}

/** @returns what a document keeps; throws `envelope_refused` if it is damaged. */
export function keyRecordFrom({ fields, body }: Document): KeyRecord {
  const { dekId, kekId, wrapped, keyEpoch } = fields
  if (body === null) throw new WaybillError('envelope_refused', 'A key record is damaged.')
  return {
    dekId: String(dekId),
    kekId: String(kekId),
    wrapped: Buffer.from(String(wrapped), 'base64url'),
    blindIndex: body,
    keyEpoch: Number(keyEpoch),
  }
}
