import { join } from 'node:path'

/** How a simulated cloud is reached, and as which client. */
interface Reached {
  readonly url: string
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
}

/** A provider of which only the sign-in is simulated. */
interface Provider {
  readonly url: string
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
    box,
    microsoft,
    issuer,
  }: {
    readonly drive: Reached
    readonly dropbox: Reached
    readonly box?: Provider
    readonly microsoft?: Provider
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
    GOOGLE_AUTHORIZE_URL: `${drive.url}/o/oauth2/v2/auth`,
    GOOGLE_TOKEN_URL: drive.tokenUrl,
    GOOGLE_REVOKE_URL: `${drive.url}/revoke`,
    GOOGLE_DIRECTORY_URL: drive.url,
    PICKER_SCRIPT_URL: `${drive.url}/js/api.js`,
    GOOGLE_API_KEY: 'simulated-key',
    GOOGLE_APP_ID: '1234567890',
    GOOGLE_CLIENT_ID: drive.clientId,
    GOOGLE_CLIENT_SECRET: drive.clientSecret,
    DROPBOX_API_URL: dropbox.url,
    DROPBOX_CONTENT_URL: dropbox.url,
    DROPBOX_AUTHORIZE_URL: `${dropbox.url}/oauth2/authorize`,
    DROPBOX_TOKEN_URL: dropbox.tokenUrl,
    DROPBOX_APP_KEY: dropbox.clientId,
    DROPBOX_APP_SECRET: dropbox.clientSecret,
    ...(box === undefined ? {} : boxSettings(box)),
    ...(microsoft === undefined ? {} : microsoftSettings(microsoft)),
  }
}

function boxSettings({ url, clientId, clientSecret }: Provider): Readonly<Record<string, string>> {
  return {
    BOX_API_URL: url,
    BOX_AUTHORIZE_URL: `${url}/api/oauth2/authorize`,
    BOX_TOKEN_URL: `${url}/oauth2/token`,
    BOX_REVOKE_URL: `${url}/oauth2/revoke`,
    BOX_CLIENT_ID: clientId,
    BOX_CLIENT_SECRET: clientSecret,
  }
}

function microsoftSettings({
  url,
  clientId,
  clientSecret,
}: Provider): Readonly<Record<string, string>> {
  return {
    GRAPH_API_URL: url,
    MICROSOFT_AUTHORIZE_URL: `${url}/common/oauth2/v2.0/authorize`,
    MICROSOFT_TOKEN_URL: `${url}/common/oauth2/v2.0/token`,
    MICROSOFT_JWKS_URL: `${url}/common/discovery/v2.0/keys`,
    MICROSOFT_CLIENT_ID: clientId,
    MICROSOFT_CLIENT_SECRET: clientSecret,
  }
}
