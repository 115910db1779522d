import type { ProviderId } from '../../shared/job.ts'

/** How people call the providers. */
export const providerNames: Readonly<Record<ProviderId, string>> = {
  'google-drive': 'Google Drive',
  dropbox: 'Dropbox',
}
