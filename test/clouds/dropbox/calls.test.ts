import { afterEach, describe, expect, it } from '@jest/globals'
import { Dropbox } from 'dropbox'
import { plainClient, rewritingFetch, sdkFor } from './client.ts'
import type { PlainClient } from './client.ts'
import { startDropbox } from './start.ts'
import type { DropboxOptions, SimulatedDropbox } from './start.ts'

let dropbox: SimulatedDropbox
let client: PlainClient

async function begin(options: DropboxOptions = {}): Promise<void> {
  dropbox = await startDropbox(options)
  client = plainClient(dropbox, dropbox.account.accessToken)
}

afterEach(() => dropbox.close())

describe('credentials', () => {
  it('are refreshed by the official SDK', async () => {
    await begin()
    const sdk = sdkFor(dropbox, null)
    const { result } = await sdk.usersGetCurrentAccount()
    expect(result).toMatchObject({
      account_id: dropbox.account.id,
      email: dropbox.account.email,
      root_info: { '.tag': 'user' },
    })
    expect(dropbox.tokens.issued()).toBe(1)
  })

  it('are refused when expired, unknown or absent', async () => {
    await begin()
    dropbox.tokens.expireAccessTokens()
    const expired = await client.rpc('users/get_current_account')
    expect(expired.status).toBe(401)
    expect(expired.at()).toEqual({
      error_summary: 'expired_access_token/..',
      error: { '.tag': 'expired_access_token' },
    })
    const unknown = await plainClient(dropbox, 'x').rpc('users/get_current_account')
    expect(unknown.at('error')).toEqual({ '.tag': 'invalid_access_token' })
    const absent = await fetch(`${dropbox.url}/2/users/get_current_account`, { method: 'POST' })
    expect(absent.status).toBe(400)
    expect(await absent.text()).toContain('Must provide HTTP header "Authorization"')
  })

  it('end with a revocation', async () => {
    await begin()
    const sdk = sdkFor(dropbox)
    await sdk.authTokenRevoke()
    expect((await client.rpc('users/get_space_usage')).at('error', '.tag')).toBe(
      'invalid_access_token',
    )
    await expect(sdkFor(dropbox, null).usersGetSpaceUsage()).rejects.toMatchObject({
      status: 400,
      error: { error: 'invalid_grant' },
    })
  })

  it('show each account its own files only', async () => {
    await begin()
    const other = dropbox.addAccount('dbid:other', 'other@dropbox.example')
    await other.put('/theirs', 'x')
    await dropbox.put('/ours', 'x')
    const sdk = new Dropbox({ accessToken: other.accessToken, fetch: rewritingFetch(dropbox.url) })
    const { result } = await sdk.filesListFolder({ path: '' })
    expect(result.entries.map((entry) => entry.name)).toEqual(['theirs'])
  })
})

describe('a wrong call', () => {
  it('is answered in plain text', async () => {
    await begin()
    const wrong = await client.rpc('files/get_metadata', { path: '/a', colour: 'red' })
    expect(wrong.status).toBe(400)
    expect(wrong.headers.get('content-type')).toContain('text/plain')
    expect(wrong.text).toBe(
      `Error in call to API function "files/get_metadata": request body: unknown field 'colour'`,
    )
  })

  it.each([
    ['an unknown function', 'files/fly', {}],
    ['a path without a slash', 'files/get_metadata', { path: 'a' }],
    ['a missing field', 'files/get_metadata', {}],
    ['a wrong type', 'files/create_folder_v2', { path: 7 }],
    ['an argument where none belongs', 'users/get_current_account', { a: 1 }],
  ])('is refused: %s', async (_, route, argument) => {
    await begin()
    expect((await client.rpc(route, argument)).status).toBe(400)
  })

  it('is refused when it is no JSON, or of the wrong type', async () => {
    await begin()
    const broken = { 'dropbox-api-arg': '{"path":' }
    const upload = await client.upload('files/upload', null, 'x', broken)
    expect(upload.text).toContain('could not decode input as JSON')
    const raw = await client.upload('files/upload', null, 'x', {
      'dropbox-api-arg': '{"path":"/\u00e9"}',
    })
    expect(raw.status).toBe(400)
    const typed = await client.upload('files/upload', { path: '/a' }, 'x', {
      'content-type': 'application/json',
    })
    expect(typed.text).toContain('Bad HTTP "Content-Type" header')
    const form = await client.rpc(
      'files/get_metadata',
      { path: '/a' },
      { 'content-type': 'text/x' },
    )
    expect(form.status).toBe(400)
  })

  it('is refused when it uses the wrong method', async () => {
    await begin()
    const answer = await fetch(`${dropbox.url}/2/files/upload`)
    expect(answer.status).toBe(400)
  })

  it('is refused when its headers are too long, and may use the URL instead of a header', async () => {
    await begin({ limits: { headers: 2000 } })
    const long = await client.upload('files/upload', { path: `/${'x/'.repeat(900)}a` }, 'x')
    expect(long.status).toBe(431)
    const argument = encodeURIComponent(JSON.stringify({ path: '/\u00e9.txt' }))
    const answer = await fetch(`${dropbox.url}/2/files/upload?arg=${argument}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${dropbox.account.accessToken}`,
        'content-type': 'application/octet-stream',
      },
      body: 'x',
    })
    expect(answer.status).toBe(200)
    expect(Object.keys(await dropbox.dump())).toEqual(['\u00e9.txt'])
  })

  it('is refused for another root than the account has', async () => {
    await begin()
    const root = (id: string): Record<string, string> => ({
      'dropbox-api-path-root': JSON.stringify({ '.tag': 'root', root: id }),
    })
    const account = await client.rpc('users/get_current_account')
    const namespace = String(account.at('root_info', 'root_namespace_id'))
    const right = await client.rpc('files/list_folder', { path: '' }, root(namespace))
    expect(right.status).toBe(200)
    const wrong = await client.rpc('files/list_folder', { path: '' }, root('7'))
    expect(wrong.status).toBe(422)
    expect(wrong.at('error', 'invalid_root', 'root_namespace_id')).toBe(namespace)
  })
})

describe('limits and faults', () => {
  it('refuse more calls in a minute than allowed', async () => {
    let now = Date.UTC(2026, 0, 1)
    await begin({ now: () => now, limits: { callsPerMinute: 2 } })
    const status = async (): Promise<number> => (await client.rpc('users/get_space_usage')).status
    expect([await status(), await status()]).toEqual([200, 200])
    const refused = await client.rpc('users/get_space_usage')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('15')
    expect(refused.at('error')).toEqual({
      reason: { '.tag': 'too_many_requests' },
      retry_after: 15,
    })
    now += 61_000
    expect(await status()).toBe(200)
  })

  it('may lose an answer after the file was saved', async () => {
    await begin()
    const fault = 'net.reset_before_response.applied'
    dropbox.faults.plan({ route: 'dropbox.files/upload', fault })
    await expect(client.upload('files/upload', { path: '/a' }, 'x')).rejects.toThrow('fetch failed')
    expect(Object.keys(await dropbox.dump())).toEqual(['a'])
  })

  it('are counted by route', async () => {
    await begin()
    await client.upload('files/upload', { path: '/a' }, 'abc')
    await client.rpc('files/get_metadata', { path: '/none' })
    const { byRoute } = dropbox.calls.snapshot()
    expect(byRoute['dropbox.files/upload']).toMatchObject({ calls: 1, refused: 0, bytesIn: 3 })
    expect(byRoute['dropbox.files/get_metadata']).toMatchObject({ calls: 1, refused: 1 })
  })
})
