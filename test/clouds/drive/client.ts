import { google } from 'googleapis'
import type { drive_v3 } from 'googleapis'
import type { SimulatedDrive } from './start.ts'

/** Google's own client for a simulated Drive; it makes each call once and throws what was refused. */
export function driveClient(cloud: Pick<SimulatedDrive, 'url' | 'account'>): drive_v3.Drive {
  const auth = new google.auth.OAuth2()
  auth.setCredentials({ access_token: cloud.account.accessToken })
  return google.drive({ version: 'v3', auth, rootUrl: `${cloud.url}/`, retry: false })
}

/** A plain GET with the account's token; `path` begins with a slash. */
export function getFrom(
  cloud: Pick<SimulatedDrive, 'url' | 'account'>,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${cloud.url}${path}`, {
    headers: { authorization: `Bearer ${cloud.account.accessToken}`, ...headers },
  })
}

/** Google's reason in an error document, for `error.errors[0].reason`. */
export async function reasonOf(response: Response): Promise<string | undefined> {
  const body: { error?: { errors?: readonly { reason?: string }[] } } = JSON.parse(
    await response.text(),
  )
  return body.error?.errors?.[0]?.reason
}
