import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { driveClient, getFrom, reasonOf } from './drive/client.ts'
import { startDrive } from './drive/start.ts'
import type { SimulatedDrive } from './drive/start.ts'
import { createQuota } from './quota.ts'

let time: number
let drive: SimulatedDrive

beforeEach(async () => {
  time = Date.parse('2026-11-20T08:00:00Z')
  drive = await startDrive({ now: () => time, quota: { unitsPerMinute: 1000, per: 'user' } })
})

afterEach(() => drive.close())

function refresh(form: Readonly<Record<string, string>> = {}): Promise<Response> {
  const { clientId, clientSecret, refreshToken } = drive.account
  const body = {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: clientId,
    client_secret: clientSecret,
    ...form,
  }
  return fetch(`${drive.url}/token`, { method: 'POST', body: new URLSearchParams(body) })
}

describe('an access token', () => {
  it('is needed', async () => {
    const response = await fetch(`${drive.url}/drive/v3/files`)
    expect(response.status).toBe(401)
    expect(await reasonOf(response)).toBe('required')
  })

  it('expires, and a refresh token buys the next one', async () => {
    time += 3600_000
    const expired = await getFrom(drive, '/drive/v3/files')
    expect([expired.status, await reasonOf(expired)]).toEqual([401, 'authError'])
    const answer: { access_token: string; expires_in: number; token_type: string } = JSON.parse(
      await (await refresh()).text(),
    )
    expect(answer).toMatchObject({ expires_in: 3599, token_type: 'Bearer' })
    const headers = { authorization: `Bearer ${answer.access_token}` }
    expect((await getFrom(drive, '/drive/v3/files', headers)).status).toBe(200)
    expect(drive.calls.snapshot().byRoute['google.token']).toMatchObject({ calls: 1, refused: 0 })
  })

  it('stops working when the grant is revoked, for good', async () => {
    const body = new URLSearchParams({ token: drive.account.refreshToken })
    expect((await fetch(`${drive.url}/revoke`, { method: 'POST', body })).status).toBe(200)
    expect((await getFrom(drive, '/drive/v3/files')).status).toBe(401)
    const refused = await refresh()
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: 'invalid_grant' }])
  })
})

describe('the token endpoint', () => {
  it('knows its client', async () => {
    const refused = await refresh({ client_secret: 'wrong' })
    expect([refused.status, await refused.json()]).toMatchObject([401, { error: 'invalid_client' }])
  })
})

describe('the quota', () => {
  it('refuses what does not fit in a minute, in Google’s prices and words', async () => {
    const list = (): Promise<Response> => getFrom(drive, '/drive/v3/files')
    for (let nth = 0; nth < 10; nth++) expect((await list()).status).toBe(200)
    const refused = await list()
    expect([refused.status, await reasonOf(refused)]).toEqual([403, 'userRateLimitExceeded'])
    time += 61_000
    expect((await list()).status).toBe(200)
  })

  it('slides: what was used a minute ago comes back first', () => {
    const quota = createQuota({ unitsPerMinute: 2, per: 'user', mode: 'calls' }, () => time)
    expect(quota.take('a', 5)).toBe(true)
    time += 30_000
    expect([quota.take('a', 5), quota.take('a', 5), quota.take('b', 5)]).toEqual([
      true,
      false,
      true,
    ])
    time += 30_000
    expect([quota.take('a', 5), quota.take('a', 5)]).toEqual([true, false])
  })

  it('is met by Google’s own client as an error with a reason', async () => {
    drive.faults.plan({ route: 'drive.files.*', fault: 'drive.rateLimitExceeded429' })
    await expect(driveClient(drive).files.list()).rejects.toMatchObject({ status: 429 })
  })
})
