import { z } from 'zod'

/** @returns whether what is sent there is in the clear only where nothing leaves the machine. */
function isSafeUrl(value: string): boolean {
  const parsed = URL.parse(value)
  if (parsed === null) return false
  if (parsed.username !== '' || parsed.password !== '') return false
  if (parsed.search !== '' || parsed.hash !== '') return false
  const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(parsed.hostname)
  return parsed.protocol === 'https:' || (parsed.protocol === 'http:' && loopback)
}

/**
 * A setting to which tokens travel.
 *
 * @param otherwise what to do if there is no such URL
 * @returns a schema; what it reads has no slash at its end
 */
export function safeUrl(otherwise: string) {
  return z
    .string({ error: `set it to an https URL${otherwise}` })
    .refine(isSafeUrl, {
      error: `set it to an https URL without user, query or fragment (http only for this machine)${otherwise}`,
    })
    .transform((value) => value.replace(/\/+$/, ''))
}
