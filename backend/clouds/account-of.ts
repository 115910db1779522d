import type { z } from 'zod'
import { WaybillError } from '../../shared/errors.ts'
import type { Http } from './http.ts'

/**
 * Asks a provider whose account a token is for.
 *
 * @param url answers GET with JSON
 * @param shape what it has to be
 * @throws WaybillError `connection_expired` when the token is refused, `unavailable` for everything else
 */
export async function accountOf<T>(
  http: Http,
  url: string,
  token: string,
  shape: z.ZodType<T>,
): Promise<T> {
  const headers = new Headers({ authorization: `Bearer ${token}`, accept: 'application/json' })
  const response = await http.fetch(url, headers)
  if (response.status === 401 || response.status === 403) {
    await response.body?.cancel()
    throw new WaybillError('connection_expired', 'The provider does not say whose account it is.')
  }
  const read = shape.safeParse(response.ok ? await response.json().catch(unreadable) : null)
  if (!read.success)
    throw new WaybillError('unavailable', 'The provider does not say whose account it is.')
  return read.data
}

function unreadable(error: unknown): null {
  if (error instanceof SyntaxError) return null
  throw error
}
