import { WaybillError } from '../../shared/errors.ts'
import { verifyIdToken, type IdTokenCheck } from './id-token.ts'

/**
 * Whether one of our own service accounts is asking: takes the values of the request's `Authorization` header. Throws
 * `unauthenticated` for anything but one good token, `forbidden` for a good one of somebody else, `unavailable` if that
 * cannot be told at the moment.
 */
export type AuthenticateAccount = (authorization: readonly string[] | undefined) => Promise<void>

export interface AccountRules {
  /** The issuer's names, as they stand in `iss`. */
  readonly issuers: readonly string[]
  /** The fixed text that the tokens are made out to: the same for the queue that sends them and for us. */
  readonly audience: string
  /** E-mail addresses of the service accounts that may ask. */
  readonly accounts: readonly string[]
}

/**
 * Checks the ID tokens that Cloud Tasks and Cloud Scheduler send for a service account
 * (https://docs.cloud.google.com/tasks/docs/creating-http-target-tasks#token). Their `azp` is the account's number, so
 * the address says who asks; nobody else can be given an address of a project.
 */
export function createAuthenticateAccount(
  options: IdTokenCheck & { readonly rules: AccountRules },
): AuthenticateAccount {
  const { issuers, audience, accounts } = options.rules
  return async (authorization) => {
    const rules = { issuers, audiences: [audience] }
    const { email } = await verifyIdToken(authorization, rules, options)
    if (email === undefined || !accounts.includes(email))
      throw new WaybillError('forbidden', 'This account may not ask for that.')
  }
}
