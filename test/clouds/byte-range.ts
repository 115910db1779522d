/** A part of a body, half-open. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

/**
 * What a Range header (RFC 9110 §14.2) asks of a body of `size` bytes: the part, `whole` when there is
 * no usable header or several ranges, `unsatisfiable` when it begins behind the end.
 */
export function byteRange(
  header: string | undefined,
  size: number,
): ByteRange | 'whole' | 'unsatisfiable' {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? []
  if (first === '' && last === '') return 'whole'
  if (first === '') {
    const tail = Math.min(Number(last), size)
    return tail === 0 ? 'unsatisfiable' : { from: size - tail, to: size }
  }
  const from = Number(first)
  const to = last === '' ? size : Math.min(Number(last) + 1, size)
  if (last !== '' && Number(last) < from) return 'whole'
  return from >= size ? 'unsatisfiable' : { from, to }
}
