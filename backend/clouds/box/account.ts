import { z } from 'zod'
import { accountOf } from '../account-of.ts'
import type { TokenSource } from '../cloud.ts'
import type { Http } from '../http.ts'

const user = z.looseObject({ id: z.string().min(1), login: z.string().min(1) })

/** @returns whose Box it is: https://developer.box.com/reference/get-users-me/ */
export async function boxAccount(http: Http, apiUrl: string, token: TokenSource) {
  const { id, login } = await accountOf(http, `${apiUrl}/2.0/users/me`, await token.get(), user)
  return { id, label: login }
}
