import type { Settings } from '../config.ts'

/** @returns where each provider gives tokens, and who we are there. */
export function endpointsOf({ google, dropbox }: Settings) {
  return {
    'google-drive': {
      issuer: google.issuers[0] ?? '',
      url: google.tokenUrl,
      clientId: google.clientId,
      clientSecret: google.clientSecret,
    },
    dropbox: {
      issuer: new URL(dropbox.tokenUrl).origin,
      url: dropbox.tokenUrl,
      clientId: dropbox.appKey,
      clientSecret: dropbox.appSecret,
    },
  }
}
