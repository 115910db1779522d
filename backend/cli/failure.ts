import { asWaybillError } from '../../shared/errors.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import { explain } from '../../shared/words.ts'
import { placeOf } from '../api/errors.ts'

/** Their own message says more than the general words for the code. */
const tellsMore: readonly ErrorCode[] = [
  'settings_invalid',
  'invalid_request',
  'not_found',
  'wrong_state',
  'source_missing',
  'receipt_invalid',
  'audit_invalid',
  'passphrase_weak',
  'cancelled',
]

const wrongUse: readonly ErrorCode[] = ['settings_invalid', 'invalid_request']

/** What a person is told when a command fails, and how the process ends: 1, or 2 for wrong use. */
export interface Failure {
  readonly text: string
  readonly exitCode: number
}

/** @param thrown anything; of what is not ours only the place in our own code is told, never its message */
export function failureOf(thrown: unknown): Failure {
  const error = asWaybillError(thrown)
  const { what, advice } = explain(error.code)
  const place = error.code === 'internal' ? placeOf(error) : undefined
  const words = tellsMore.includes(error.code) ? ended(error.message) : `${what} ${advice}`
  return {
    text: failureText(words, place === undefined ? error.code : `${error.code} at ${place}`),
    exitCode: wrongUse.includes(error.code) ? 2 : 1,
  }
}

/** @returns one sentence about a failure, with its code; the code is in the first line if there are several. */
export function failureText(words: string, code: string): string {
  const [first = '', ...list] = words.split('\n')
  if (list.length === 0) return `waybill: ${first} (${code})`
  return [`waybill: ${first.replace(/:$/, '')} (${code}):`, ...list].join('\n')
}

function ended(sentence: string): string {
  return /[.!?…]$/.test(sentence) || sentence.includes('\n') ? sentence : `${sentence}.`
}
