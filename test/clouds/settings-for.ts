import { join } from 'node:path'

/** How a simulated cloud is reached, and as which client. */
interface Reached {
  readonly url: string
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
}

/**
 * @param folder where the store and the wallet are
 * @returns the environment variables that point a Waybill at simulated clouds
 */
export function settingsFor(
  {
    drive,
    dropbox,
    issuer,
  }: {
    readonly drive: Reached
    readonly dropbox: Reached
    readonly issuer: { readonly jwksUrl: string }
  },
  folder: string,
): Readonly<Record<string, string>> {
  return {
    PORT: '0',
    WAYBILL_STORE: join(folder, 'waybill.db'),
    WAYBILL_WALLET: join(folder, 'wallet.age'),
    GOOGLE_JWKS_URL: issuer.jwksUrl,
    GOOGLE_API_URL: drive.url,
    GOOGLE_TOKEN_URL: drive.tokenUrl,
    GOOGLE_CLIENT_ID: drive.clientId,
    GOOGLE_CLIENT_SECRET: drive.clientSecret,
    DROPBOX_API_URL: dropbox.url,
    DROPBOX_CONTENT_URL: dropbox.url,
    DROPBOX_TOKEN_URL: dropbox.tokenUrl,
    DROPBOX_APP_KEY: dropbox.clientId,
    DROPBOX_APP_SECRET: dropbox.clientSecret,
  }
}
