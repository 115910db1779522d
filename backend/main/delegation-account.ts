import { z } from 'zod'
import { WaybillError } from '../../shared/errors.ts'
import type { ServiceAccount } from '../connect/delegate.ts'

/** Where Google Cloud says who this process is, and signs for those whom it may sign for. */
export interface GoogleSigning {
  readonly metadataUrl: string
  readonly credentialsUrl: string
}

export const googleSigning: GoogleSigning = {
  metadataUrl: 'http://metadata.google.internal',
  credentialsUrl: 'https://iamcredentials.googleapis.com',
}

const PATIENCE_MS = 10_000

const tokenAnswer = z.looseObject({ access_token: z.string().min(1) })
const signAnswer = z.looseObject({ signedJwt: z.string().min(1) })

/**
 * A service account in Google Cloud, of which nobody has a key: Google signs, for the account that this process runs as, if
 * that is a `roles/iam.serviceAccountTokenCreator` of it.
 * https://docs.cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signJwt
 */
export function serviceAccountAt(
  { email, clientId }: { readonly email: string; readonly clientId: string },
  { metadataUrl, credentialsUrl }: GoogleSigning,
  send: typeof fetch,
): ServiceAccount {
  const answer = async <T>(url: string, init: RequestInit, shape: z.ZodType<T>): Promise<T> => {
    const response = await send(url, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch((error: unknown) => {
      throw new WaybillError('unavailable', 'Google Cloud does not sign.', { cause: error })
    })
    if (response.status === 403 || response.status === 404) {
      await response.body?.cancel()
      throw new WaybillError(
        'settings_invalid',
        'WAYBILL_DELEGATION_ACCOUNT: let the account that Waybill runs as create tokens for it',
      )
    }
    const read = shape.safeParse(await response.json().catch(unreadable))
    if (response.ok && read.success) return read.data
    throw new WaybillError('unavailable', 'Google Cloud does not sign.')
  }

  return {
    email,
    clientId,
    sign: async (claims) => {
      const own = `${metadataUrl}/computeMetadata/v1/instance/service-accounts/default/token`
      const headers = { 'metadata-flavor': 'Google' }
      const { access_token: token } = await answer(own, { headers }, tokenAnswer)
      const signed = await answer(
        `${credentialsUrl}/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:signJwt`,
        {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ payload: JSON.stringify(claims) }),
        },
        signAnswer,
      )
      return signed.signedJwt
    },
  }
}

function unreadable(error: unknown): null {
  if (error instanceof SyntaxError) return null
  throw error
}
