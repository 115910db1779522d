import { asWaybillError } from '../../shared/errors.ts'
import { placeOf } from '../api/errors.ts'

/** @returns what a log may say of an error: its code, and where in our code it was thrown. */
export function faultOf(thrown: unknown) {
  const error = asWaybillError(thrown)
  const at = placeOf(error)
  return { code: error.code, ...(at === undefined ? {} : { at }) }
}
