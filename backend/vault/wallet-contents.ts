import { z } from 'zod'

const Time = z.iso.datetime()
const Id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
const Secret = z.base64url().min(1)

const Payload = z.strictObject({
  v: z.literal(1),
  keks: z
    .array(
      z.strictObject({
        id: Id,
        key: Secret,
        created: Time,
        state: z.enum(['active', 'retired']),
      }),
    )
    .min(1),
  signKeys: z.array(z.strictObject({ id: Id, key: Secret, created: Time })).min(1),
  created: Time,
  passphraseSetAt: Time,
})

type Payload = z.infer<typeof Payload>
type WithBytes<T> = Readonly<Omit<T, 'key'>> & { readonly key: Uint8Array }

/**
 * What the wallet file holds: the KEKs (32 bytes each; a `retired` one unwraps but does not wrap) and the Ed25519
 * private keys (PKCS #8, DER) that sign receipts and tree heads.
 */
export interface WalletContents {
  readonly keks: readonly WithBytes<Payload['keks'][number]>[]
  readonly signKeys: readonly WithBytes<Payload['signKeys'][number]>[]
  readonly created: string
  readonly passphraseSetAt: string
}

/** Writes the payload of the age file: JSON, so that a person with the `age` tool can read it. */
export function encodeWalletContents(contents: WalletContents): Uint8Array {
  const payload: Payload = {
    v: 1,
    keks: contents.keks.map((kek) => ({ ...kek, key: encodeKey(kek.key) })),
    signKeys: contents.signKeys.map((signKey) => ({ ...signKey, key: encodeKey(signKey.key) })),
    created: contents.created,
    passphraseSetAt: contents.passphraseSetAt,
  }
  return Buffer.from(JSON.stringify(payload, undefined, 2))
}

/** @throws an error of JSON or zod when the payload is not one of ours. */
export function decodeWalletContents(payload: Uint8Array): WalletContents {
  const { v: _v, ...contents } = Payload.parse(JSON.parse(Buffer.from(payload).toString()))
  return {
    ...contents,
    keks: contents.keks.map((kek) => ({ ...kek, key: decodeKey(kek.key) })),
    signKeys: contents.signKeys.map((signKey) => ({ ...signKey, key: decodeKey(signKey.key) })),
  }
}

function encodeKey(key: Uint8Array): string {
  return Buffer.from(key).toString('base64url')
}

/** Not from Node's shared pool of small buffers: whoever overwrites them overwrites the only ones. */
function decodeKey(key: string): Uint8Array {
  return Uint8Array.from(Buffer.from(key, 'base64url'))
}
