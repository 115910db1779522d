/** Providers at which an account can be connected. Jobs are for those that are a `ProviderId` as well. */
export const accountProviders = ['google-drive', 'dropbox', 'box', 'microsoft'] as const

export type AccountProvider = (typeof accountProviders)[number]

/**
 * What Waybill may read of a Google Drive: the files that somebody *picked* for it one by one, or the *whole* Drive, which
 * the operator of an installation has to switch on.
 */
export type DriveTier = 'picked' | 'whole'

/** How people call the providers. */
export const accountNames: Readonly<Record<AccountProvider, string>> = {
  'google-drive': 'Google Drive',
  dropbox: 'Dropbox',
  box: 'Box',
  microsoft: 'Microsoft OneDrive',
}

/** @returns whether `value` names a provider. */
export function isAccountProvider(value: unknown): value is AccountProvider {
  return accountProviders.some((each) => each === value)
}
