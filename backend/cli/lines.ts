import { WaybillError } from '../../shared/errors.ts'

/**
 * Cuts bytes into lines at line feeds and nowhere else: a name may hold U+2028, at which `node:readline` cuts as well.
 *
 * @param invalid what bytes that are not text are called
 * @throws WaybillError `invalid` for bytes that are not UTF-8: as replacement characters they would all be alike
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  invalid: 'receipt_invalid' | 'audit_invalid' = 'receipt_invalid',
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const decode = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined })
    } catch (cause) {
      const isMalformed =
        typeof cause === 'object' &&
        cause !== null &&
        'code' in cause &&
        cause.code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
      if (!isMalformed) throw cause
      throw new WaybillError(invalid, 'The file is not text in UTF-8.', { cause })
    }
  }
  let rest = ''
  for await (const chunk of chunks) {
    const [first = '', ...more] = decode(chunk).split('\n')
    rest += first
    for (const line of more) {
      yield rest
      rest = line
    }
  }
  rest += decode()
  if (rest !== '') yield rest
}
