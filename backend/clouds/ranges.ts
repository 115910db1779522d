import { Readable } from 'node:stream'
import { WaybillError } from '../../shared/errors.ts'
import type { Body } from './cloud.ts'
import type { HttpAnswer } from './http.ts'

/** @returns the header that asks for the bytes from `from` on; none for all of them. */
export function rangeHeader(from: number): { readonly range?: string } {
  return from === 0 ? {} : { range: `bytes=${from}-` }
}

/**
 * Reads the answer to a request for bytes. https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
 *
 * @param from where the range began that was asked for
 * @returns the body: from `from` for a 206, from 0 for a 200, empty if the content ends at `from`; null if the answer
 * is a refusal. Throws `keeps_changing` if the content is shorter than `from`: it is not what it was.
 */
export async function toBody(answer: HttpAnswer, from: number): Promise<Body | null> {
  const { status, header, body } = answer
  if (status === 200 || status === 206) {
    const length = header('content-length')
    return {
      stream: body,
      length: length === undefined ? null : Number(length),
      from: status === 200 ? 0 : (startOf(header('content-range')) ?? from),
    }
  }
  if (status !== 416) return null
  await body.dump()
  if (header('content-range') === `bytes */${from}`)
    return { stream: Readable.from([]), length: 0, from }
  throw new WaybillError('keeps_changing', 'The file became shorter while it was read.')
}

function startOf(contentRange: string | undefined): number | null {
  const start = /^bytes (\d+)-/.exec(contentRange ?? '')?.[1]
  return start === undefined ? null : Number(start)
}
