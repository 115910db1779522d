import { z } from 'zod'
import { accountOf } from '../account-of.ts'
import type { TokenSource } from '../cloud.ts'
import type { Http } from '../http.ts'

const user = z.looseObject({
  id: z.string().min(1),
  mail: z.string().nullish(),
  userPrincipalName: z.string().min(1),
})

/** @returns whose account it is: https://learn.microsoft.com/graph/api/user-get */
export async function microsoftAccount(http: Http, graphUrl: string, token: TokenSource) {
  const me = await accountOf(http, `${graphUrl}/v1.0/me`, await token.get(), user)
  return { id: me.id, label: me.mail ?? me.userPrincipalName }
}
