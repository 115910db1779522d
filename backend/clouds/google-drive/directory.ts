import { z } from 'zod'
import { WaybillError } from '../../../shared/errors.ts'
import { accountOf } from '../account-of.ts'
import type { Http } from '../http.ts'

const subject = z.looseObject({ sub: z.string().min(1) })

/** @returns Google's id of the account that a token acts for: https://developers.google.com/identity/openid-connect/openid-connect#obtaininguserprofileinformation */
export async function googleSubject(http: Http, apiUrl: string, token: string): Promise<string> {
  return (await accountOf(http, `${apiUrl}/oauth2/v3/userinfo`, token, subject)).sub
}

const user = z.looseObject({
  id: z.string().min(1),
  isAdmin: z.boolean(),
  suspended: z.boolean().optional(),
  customerId: z.string().min(1),
})

/** What a Workspace directory says of somebody. */
export type DirectoryUser = z.output<typeof user>

const refusal = z.looseObject({
  error: z.looseObject({ errors: z.array(z.looseObject({ reason: z.string() })).min(1) }),
})

/**
 * Asks a directory for somebody, as administrators see them: the view of the domain, which everybody is given, would not
 * say who an administrator is. https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/get
 *
 * @param key an id of Google's, or an address
 * @returns the user; `not_admin` when whoever the token acts for may not see them so, null if nobody there has the key
 * @throws WaybillError `unavailable` for everything else
 */
export async function directoryUser(
  http: Http,
  directoryUrl: string,
  token: string,
  key: string,
): Promise<DirectoryUser | 'not_admin' | null> {
  const url = `${directoryUrl}/admin/directory/v1/users/${encodeURIComponent(key)}?projection=basic`
  const headers = new Headers({ authorization: `Bearer ${token}`, accept: 'application/json' })
  const response = await http.fetch(url, headers)
  const body: unknown = await response.json().catch(unreadable)
  if (response.ok) {
    const read = user.safeParse(body)
    if (read.success) return read.data
  }
  const said = refusal.safeParse(body)
  const reason = said.success ? said.data.error.errors[0]?.reason : undefined
  if (response.status === 403 && reason === 'forbidden') return 'not_admin'
  // A deleted user is not found; neither is one of another customer.
  if (response.status === 404 && reason === 'notFound') return null
  throw new WaybillError('unavailable', 'The directory of the domain gives no answer.')
}

function unreadable(error: unknown): null {
  if (error instanceof SyntaxError) return null
  throw error
}
