import type { AccountProvider, DriveTier } from '../../shared/account.ts'
import { WaybillError } from '../../shared/errors.ts'
import type { SignInAt } from '../records/sign-ins.ts'

/** What a person is asked to allow. */
export interface Asked {
  readonly scopes: readonly string[]
  /** Those without which Waybill cannot do anything: a person may untick some. */
  readonly needed: readonly string[]
  /** What the provider wants to be told besides. */
  readonly parameters: Readonly<Record<string, string>>
  /** Whether it answers with an ID token. */
  readonly isOpenId: boolean
}

const drive = 'https://www.googleapis.com/auth/drive'
const dropboxScopes = [
  'account_info.read',
  'files.metadata.read',
  'files.content.read',
  'files.content.write',
]
const microsoftScopes = ['User.Read', 'Files.ReadWrite']

const scopeOfTier: Readonly<Record<DriveTier, string>> = {
  picked: `${drive}.file`,
  whole: `${drive}.readonly`,
}

/**
 * - Google: https://developers.google.com/identity/protocols/oauth2/web-server#creatingclient. What was allowed before is
 *   part of what is granted, so that the whole Drive can be added to picked files.
 * - Dropbox: https://developers.dropbox.com/oauth-guide
 * - Box: https://developer.box.com/guides/authentication/oauth2/ (the scopes are the application's own)
 * - Microsoft: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 *
 * @returns what is asked at a provider; a tier is for Google Drive only
 */
export function askedAt(at: SignInAt, tier: DriveTier | null): Asked {
  switch (at) {
    case 'google':
      return {
        scopes: ['openid', 'email'],
        needed: ['openid'],
        parameters: { prompt: 'select_account' },
        isOpenId: true,
      }
    case 'google-drive': {
      const scope = scopeOfTier[tier ?? 'picked']
      return {
        scopes: ['openid', 'email', scope],
        needed: [scope],
        parameters: {
          access_type: 'offline',
          prompt: 'consent',
          include_granted_scopes: 'true',
        },
        isOpenId: true,
      }
    }
    case 'dropbox':
      return {
        scopes: dropboxScopes,
        needed: dropboxScopes,
        parameters: { token_access_type: 'offline' },
        isOpenId: false,
      }
    case 'box':
      return { scopes: [], needed: [], parameters: {}, isOpenId: false }
    case 'microsoft':
      return {
        scopes: ['openid', 'profile', 'email', 'offline_access', ...microsoftScopes],
        needed: microsoftScopes,
        parameters: { response_mode: 'query', prompt: 'select_account' },
        isOpenId: true,
      }
    default:
      return at satisfies never
  }
}

/**
 * @param isWholeAllowed whether the operator allows to ask for the whole Drive
 * @returns the tier that is asked for; throws `invalid_request` for one that there is not
 */
export function tierOf(
  provider: AccountProvider,
  tier: DriveTier | undefined,
  isWholeAllowed: boolean,
): DriveTier | null {
  if (provider !== 'google-drive') {
    if (tier === undefined) return null
    throw new WaybillError('invalid_request', 'Only Google Drive is connected by tiers.')
  }
  if (tier === 'whole' && !isWholeAllowed)
    throw new WaybillError(
      'invalid_request',
      'Here Waybill may only be given picked files: its operator has not allowed the whole Drive.',
    )
  return tier ?? 'picked'
}

/** @returns the tier that granted scopes stand for, whatever was asked for. */
export function grantedTier(granted: readonly string[]): DriveTier {
  return granted.includes(scopeOfTier.whole.toLowerCase()) ? 'whole' : 'picked'
}
