import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startConnecting } from '../connect/start-connecting.ts'
import type { ConnectingUnderTest, Person } from '../connect/start-connecting.ts'

const risc = 'https://schemas.openid.net/secevent/risc/event-type'
const oauth = 'https://schemas.openid.net/secevent/oauth/event-type'

let t: ConnectingUnderTest
beforeEach(async () => {
  t = await startConnecting()
})
afterEach(async () => t.close())

type Json = Readonly<Record<string, unknown>>

/** What Google says of somebody: https://developers.google.com/identity/protocols/risc#examples */
function report(who: Person, type: string, more: Json = {}): Json {
  const subject = { subject_type: 'iss-sub', iss: 'https://accounts.google.com/', sub: who.sub }
  return {
    iss: 'https://accounts.google.com/',
    aud: t.clouds.drive.account.clientId,
    iat: Math.floor(Date.now() / 1_000),
    jti: randomUUID(),
    events: { [type]: { subject, ...more } },
  }
}

async function send(claims: Json | string, foreign = false): Promise<number> {
  const token =
    typeof claims === 'string' ? claims : await t.clouds.issuer.keys.sign(claims, foreign)
  const response = await fetch(`${t.url}/risc/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/secevent+jwt' },
    body: token,
  })
  await response.text()
  return response.status
}

const frozen = async () => (await t.api(t.ann, 'GET', '/v1/freeze')).body['frozen']
const connect = async () =>
  t.waybill.connect(t.ann.user, 'google-drive', t.clouds.drive.account.refreshToken)
const stateOfDrive = async () =>
  (await t.waybill.connections.list(t.ann.user)).map(({ state }) => state)

/** Whether the browser is still signed in. */
async function isIn(browser: Awaited<ReturnType<ConnectingUnderTest['browserOf']>>) {
  return !(await browser.open(`${t.url}/connect/accounts`)).text.includes('Sign in with Google')
}

async function acts(): Promise<readonly string[]> {
  await t.waybill.chainActs()
  const { lines } = await t.waybill.audit.list(t.ann.user, { from: 0, limit: 100 })
  return lines.map(({ line }) => line.act)
}

const newKey = async () => {
  const asked = { name: 'Test', scopes: ['jobs:read'] }
  const { body } = await t.api(t.ann, 'POST', '/v1/keys', asked)
  return async () =>
    (
      await fetch(`${t.url}/v1/jobs`, {
        headers: { authorization: `Bearer ${String(body['key'])}` },
      })
    ).status
}

describe('what Google reports', () => {
  it('ends all sessions of whom it is about when they are revoked, and nobody else’s', async () => {
    const [own, second, other] = [
      await t.browserOf(t.ann),
      await t.browserOf(t.ann),
      await t.browserOf(t.bob),
    ]
    expect(await send(report(t.ann, `${risc}/sessions-revoked`))).toBe(202)
    expect([await isIn(own), await isIn(second), await isIn(other)]).toEqual([false, false, true])
    expect(await acts()).toContain('sessions_ended')
    expect(await frozen()).toBe(false)
  })

  it('has the Drive connected again when its tokens are revoked', async () => {
    await connect()
    expect(await stateOfDrive()).toEqual(['ready'])
    expect(await send(report(t.ann, `${oauth}/tokens-revoked`))).toBe(202)
    expect(await stateOfDrive()).toEqual(['expired'])
  })

  it('freezes everything, ends sessions and revokes keys when the account was taken over', async () => {
    const browser = await t.browserOf(t.ann)
    const useKey = await newKey()
    expect(await useKey()).toBe(200)
    const hijacked = report(t.ann, `${risc}/account-disabled`, { reason: 'hijacking' })
    expect(await send(hijacked)).toBe(202)
    expect([await frozen(), await isIn(browser), await useKey()]).toEqual([true, false, 401])
    expect(await acts()).toEqual(expect.arrayContaining(['alarm_raised', 'api_key_revoked']))
    expect(t.logged.join('')).toContain('alarm_account_hijacked')
    expect((await t.api(t.ann, 'POST', '/v1/unfreeze')).status).toBe(403)
  })

  it('is only noted when the account is disabled for another reason, or needs a new password', async () => {
    await newKey()
    expect(await send(report(t.ann, `${risc}/account-disabled`))).toBe(202)
    expect(await send(report(t.ann, `${risc}/account-credential-change-required`))).toBe(202)
    expect(await frozen()).toBe(false)
    expect((await acts()).filter((act) => act === 'alarm_raised')).toHaveLength(2)
  })

  it('is heeded once', async () => {
    const again = report(t.ann, `${risc}/sessions-revoked`)
    await t.browserOf(t.ann)
    expect(await send(again)).toBe(202)
    const browser = await t.browserOf(t.ann)
    expect(await send(again)).toBe(202)
    expect(await isIn(browser)).toBe(true)
  })

  it('is taken, and does nothing, where it is a test, about nobody known, or of a kind that is not', async () => {
    const browser = await t.browserOf(t.ann)
    const stranger = { ...t.ann, sub: '999999999999999999999' }
    expect(await send(report(t.ann, `${risc}/verification`, { state: 'x' }))).toBe(202)
    expect(await send(report(t.ann, `${risc}/account-enabled`))).toBe(202)
    expect(await send(report(t.ann, `${risc}/something-new`))).toBe(202)
    expect(await send(report(stranger, `${risc}/sessions-revoked`))).toBe(202)
    expect(await isIn(browser)).toBe(true)
  })
})

it('nothing but a report that Google has signed for us is heeded', async () => {
  const browser = await t.browserOf(t.ann)
  const good = report(t.ann, `${risc}/account-disabled`, { reason: 'hijacking' })
  const now = Math.floor(Date.now() / 1_000)
  const subject = { subject_type: 'iss-sub', iss: 'https://example.com', sub: t.ann.sub }
  const wrong: readonly Json[] = [
    { ...good, iss: 'https://accounts.google.com.example.com/' },
    { ...good, iss: undefined },
    { ...good, aud: 'somebody-else' },
    { ...good, aud: undefined },
    { ...good, iat: now + 120 },
    { ...good, iat: now - 31 * 24 * 3_600 },
    { ...good, iat: `${now}` },
    { ...good, iat: undefined },
    { ...good, exp: now + 3_600 },
    { ...good, jti: undefined },
    { ...good, jti: '' },
    { ...good, events: undefined },
    { ...good, events: [] },
    { ...good, events: 'account-disabled' },
    { ...good, events: { [`${risc}/account-disabled`]: { subject, reason: 'hijacking' } } },
    { ...good, events: { [`${risc}/account-disabled`]: 'hijacking' } },
  ]
  for (const [at, claims] of wrong.entries()) expect([at, await send(claims)]).toEqual([at, 400])
  expect(await send(good, true)).not.toBe(202)

  const token = await t.clouds.issuer.keys.sign({ ...good })
  const signIn = await t.clouds.issuer.mintIdToken({
    sub: t.ann.sub,
    aud: t.clouds.drive.account.clientId,
  })
  for (const body of ['', 'x', `${token}.x`, signIn, 'x'.repeat(20_000)])
    expect([body.length, await send(body)]).toEqual([body.length, 400])
  let tried = 0
  for (let at = 0; at < token.length; at += 1) {
    const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
    const status = await send(changed)
    // Without the keys of a key id that is not there, nobody can say.
    expect([at, status === 400 || status === 503]).toEqual([at, true])
    tried += 1
  }
  expect(tried).toBeGreaterThan(600)
  expect([await frozen(), await isIn(browser)]).toEqual([false, true])

  const api = await fetch(`${t.url}/v1/jobs`, { headers: { authorization: `Bearer ${token}` } })
  expect(api.status).toBe(401)
  expect(await send(good)).toBe(202)
  expect(await frozen()).toBe(true)
})
