import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { settingsFor } from './settings-for.ts'
import { startClouds } from './start.ts'
import type { Clouds } from './start.ts'

describe('the settings for simulated clouds', () => {
  let clouds: Clouds
  let settings: Readonly<Record<string, string>>

  beforeAll(async () => {
    clouds = await startClouds()
    const { drive, dropbox, box, microsoft, issuer } = clouds
    settings = settingsFor(
      {
        drive: { ...drive.account, url: drive.url, tokenUrl: `${drive.url}/token` },
        dropbox: { ...dropbox.account, url: dropbox.url, tokenUrl: `${dropbox.url}/oauth2/token` },
        box: { ...box.account, url: box.url },
        microsoft: { ...microsoft.account, url: microsoft.url },
        issuer,
      },
      '/folder',
    )
  })

  afterAll(() => clouds.close())

  it.each([
    ['GET', 'GOOGLE_AUTHORIZE_URL', ''],
    ['POST', 'GOOGLE_TOKEN_URL', ''],
    ['POST', 'GOOGLE_REVOKE_URL', ''],
    ['GET', 'GOOGLE_JWKS_URL', ''],
    ['GET', 'GOOGLE_API_URL', '/drive/v3/about'],
    ['GET', 'GOOGLE_DIRECTORY_URL', '/admin/directory/v1/users/x'],
    ['GET', 'DROPBOX_AUTHORIZE_URL', ''],
    ['POST', 'DROPBOX_TOKEN_URL', ''],
    ['POST', 'DROPBOX_API_URL', '/2/auth/token/revoke'],
    ['GET', 'BOX_AUTHORIZE_URL', ''],
    ['POST', 'BOX_TOKEN_URL', ''],
    ['POST', 'BOX_REVOKE_URL', ''],
    ['GET', 'BOX_API_URL', '/2.0/users/me'],
    ['GET', 'MICROSOFT_AUTHORIZE_URL', ''],
    ['POST', 'MICROSOFT_TOKEN_URL', ''],
    ['GET', 'MICROSOFT_JWKS_URL', ''],
    ['GET', 'GRAPH_API_URL', '/v1.0/me'],
  ])('lead %s %s%s somewhere', async (method, name, path) => {
    const { status } = await fetch(`${settings[name]}${path}`, { method })
    expect([200, 400, 401]).toContain(status)
  })

  it('name a client of each provider', () => {
    const { drive, dropbox, box, microsoft } = clouds
    expect(settings).toMatchObject({
      GOOGLE_CLIENT_ID: drive.account.clientId,
      DROPBOX_APP_KEY: dropbox.account.clientId,
      BOX_CLIENT_ID: box.account.clientId,
      BOX_CLIENT_SECRET: box.account.clientSecret,
      MICROSOFT_CLIENT_ID: microsoft.account.clientId,
      MICROSOFT_CLIENT_SECRET: microsoft.account.clientSecret,
    })
  })
})
