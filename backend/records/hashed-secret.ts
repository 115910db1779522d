import { createHash } from 'node:crypto'

/** What a secret is for. One that was made for something is never taken for something else. */
type Purpose =
  | 'ticket'
  | 'state'
  | 'browser'
  | 'session'
  | 'form'
  | 'erase'
  | 'certificate'
  | 'api-key'
  | 'event'

const secretBytes = 32
const shape = /^[A-Za-z0-9_-]{43}$/

/** @returns 256 bits that nobody can guess, as 43 characters of base64url */
export function newSecret(random: (bytes: number) => Uint8Array): string {
  return Buffer.from(random(secretBytes)).toString('base64url')
}

/** @returns whether `value` looks like one of our secrets; whether it is one, only the store knows */
export function isSecret(value: unknown): value is string {
  return typeof value === 'string' && shape.test(value)
}

/**
 * The name under which the store knows a secret: who reads the store cannot use it. Secrets have 256 bits, so that a
 * plain hash is as good as a slow one.
 *
 * @returns 43 characters of base64url
 */
export function hashed(purpose: Purpose, secret: string): string {
  return createHash('sha256').update(`waybill-${purpose}-v1\0${secret}`).digest('base64url')
}
