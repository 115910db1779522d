import { crc32 } from 'node:zlib'

/*
 * `wbk_`, 256 random bits in 43 letters and digits, and six more that are the CRC-32 of these 43: so those who look for leaked
 * secrets in code and logs find a key, and know it from what merely looks like one.
 * https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const secretBytes = 32
const secretDigits = 43
const sumDigits = 6
const shape = new RegExp(`^wbk_([0-9A-Za-z]{${secretDigits}})([0-9A-Za-z]{${sumDigits}})$`)

/** @returns a new key of the API, which nobody can guess */
export function newApiKey(random: (bytes: number) => Uint8Array): string {
  const number = BigInt(`0x${Buffer.from(random(secretBytes)).toString('hex')}`)
  const secret = inDigits(number, secretDigits)
  return `wbk_${secret}${sumOf(secret)}`
}

/** @returns whether `value` is written like one of our keys, its checksum included; whether it is one, only the store knows */
export function isApiKey(value: string): boolean {
  const [, secret, sum] = shape.exec(value) ?? []
  return secret !== undefined && sum === sumOf(secret)
}

function sumOf(secret: string): string {
  return inDigits(BigInt(crc32(secret)), sumDigits)
}

function inDigits(number: bigint, length: number): string {
  const base = BigInt(digits.length)
  let text = ''
  for (let left = number; left > 0n; left /= base) text = (digits[Number(left % base)] ?? '') + text
  return text.padStart(length, '0')
}
