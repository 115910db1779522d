import type { Request, Response } from 'express'
import { hashed, isSecret } from '../records/hashed-secret.ts'

/**
 * The two cookies of the pages. `__Host-` binds them to this very host and to https (browsers count `localhost` as that);
 * they go along when a provider sends the browser back, and never with what another site's page asks for in the background.
 * https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
 */
export const sessionCookie = '__Host-waybill-session'

const attributes = { secure: true, httpOnly: true, sameSite: 'lax', path: '/' } as const

/** @returns the cookie of one sign-in, so that several can be under way in one browser. */
export function signInCookie(state: string | null): string {
  return `__Host-waybill-${isSecret(state) ? hashed('state', state).slice(0, 16) : 'none'}`
}

/** @returns a cookie's value; undefined if there is none, or more than one of that name. */
export function readCookie(request: Request, name: string): string | undefined {
  const found = (request.headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
  return found.length === 1 ? found[0]?.slice(name.length + 1) : undefined
}

/** @param maxAge in milliseconds; undefined for as long as the browser is open */
export function setCookie(
  response: Response,
  name: string,
  value: string,
  maxAge: number | undefined,
): void {
  response.cookie(name, value, { ...attributes, ...(maxAge === undefined ? {} : { maxAge }) })
}

export function clearCookie(response: Response, name: string): void {
  response.clearCookie(name, attributes)
}
