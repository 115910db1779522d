import { afterEach, describe, expect, it } from '@jest/globals'
import { leaksIn } from '../../spellings.ts'
import type { Browser } from '../connect/browser.ts'
import { startConnecting } from '../connect/start-connecting.ts'
import type { ConnectingUnderTest } from '../connect/start-connecting.ts'

let t: ConnectingUnderTest
afterEach(async () => t.close())

async function start(alarm: 'note' | 'freeze', more: Readonly<Record<string, string>> = {}) {
  t = await startConnecting({
    WAYBILL_TRUSTED_PROXIES: '1',
    WAYBILL_COUNTRY_HEADER: 'X-Client-Country',
    WAYBILL_ALARM: alarm,
    ...more,
  })
}

/** Opens a page as a browser that is elsewhere now. */
async function openFrom(
  browser: Browser,
  address: string,
  country?: string,
  path = '/connect/accounts',
) {
  const jar = browser.cookies.get(new URL(t.url).host) ?? new Map<string, string>()
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await fetch(`${t.url}${path}`, {
    headers: {
      cookie,
      'x-forwarded-for': address,
      ...(country === undefined ? {} : { 'x-client-country': country }),
    },
  })
  return { status: response.status, text: await response.text() }
}

async function alarms(): Promise<readonly unknown[]> {
  await t.waybill.chainActs()
  const { lines } = await t.waybill.audit.list(t.ann.user, { from: 0, limit: 200 })
  return lines
    .filter(({ line }) => line.act === 'alarm_raised')
    .map(({ details }) => details?.['kind'])
}

const frozen = async () => (await t.api(t.ann, 'GET', '/v1/freeze')).body['frozen']
const events = () => t.logged.filter((line) => line.includes('"alarm_'))

describe('an alarm', () => {
  it('is raised once for a network or a country that was never seen of a person', async () => {
    await start('note')
    const browser = await t.browserOf(t.ann)
    await openFrom(browser, '192.0.2.1', 'DE')
    expect(await alarms()).toEqual(['new_network'])
    await openFrom(browser, '192.0.2.200', 'DE')
    await openFrom(browser, '192.0.2.1', 'DE')
    expect(await alarms()).toEqual(['new_network'])
    await openFrom(browser, '192.0.2.1', 'NZ,Wellington')
    expect(await alarms()).toEqual(['new_network', 'new_country'])
    await openFrom(browser, '192.0.2.1', 'nonsense')
    await openFrom(browser, '2001:db8:1::1', 'NZ')
    await openFrom(browser, '2001:db8:1:ffff::2', 'DE')
    expect(await alarms()).toEqual(['new_network', 'new_country', 'new_network'])
    expect(await frozen()).toBe(false)
  })

  it('is told in the log without saying who or where', async () => {
    await start('note')
    const browser = await t.browserOf(t.ann)
    await openFrom(browser, '192.0.2.1', 'QX')
    expect(events().map((line): unknown => JSON.parse(line))).toEqual([
      { time: expect.any(String), severity: 'WARNING', event: 'alarm_new_network' },
    ])
    const secrets = ['192.0.2.', '"QX"', t.ann.user, t.ann.email, t.ann.sub]
    expect(leaksIn(Buffer.from(t.logged.join('')), secrets)).toEqual([])
  })

  it('is not raised by a header that the operator has not named', async () => {
    await start('note', { WAYBILL_COUNTRY_HEADER: 'X-Other' })
    const browser = await t.browserOf(t.ann)
    await openFrom(browser, '127.0.0.1', 'DE')
    await openFrom(browser, '127.0.0.1', 'NZ')
    expect(await alarms()).toEqual([])
  })

  it('freezes everything if the operator wants that, until the person signs in anew', async () => {
    await start('freeze')
    const browser = await t.browserOf(t.ann)
    await openFrom(browser, '192.0.2.1')
    expect(await frozen()).toBe(true)
    // Who has only stolen the session or a token of the sidebar cannot end it.
    const stolen = await browser.press(
      await browser.open(`${t.url}/connect/freeze`),
      /End the freeze/,
    )
    expect(stolen.status).toBe(403)
    expect((await t.api(t.ann, 'POST', '/v1/unfreeze')).status).toBe(403)
    expect((await t.api(t.ann, 'POST', '/v1/freeze')).status).toBe(200)
    expect((await t.api(t.ann, 'POST', '/v1/unfreeze')).status).toBe(403)
    expect(await frozen()).toBe(true)

    const anew = await t.browserOf(t.ann)
    const ended = await anew.press(await anew.open(`${t.url}/connect/freeze`), /End the freeze/)
    expect(ended.text).toContain('Nothing is frozen')
    expect(await frozen()).toBe(false)
  })

  it('is not got around by freezing everything beforehand', async () => {
    await start('freeze')
    const browser = await t.browserOf(t.ann)
    await t.api(t.ann, 'POST', '/v1/freeze')
    await openFrom(browser, '192.0.2.1')
    expect((await t.api(t.ann, 'POST', '/v1/unfreeze')).status).toBe(403)
  })

  it('does not keep a person from ending a freeze of their own', async () => {
    await start('freeze')
    await t.api(t.ann, 'POST', '/v1/freeze')
    expect((await t.api(t.ann, 'POST', '/v1/unfreeze')).status).toBe(200)
  })

  it('is raised for an API key that comes from somewhere else, before it gets anything', async () => {
    await start('freeze')
    const { body } = await t.api(t.ann, 'POST', '/v1/keys', { name: 'CI', scopes: ['jobs:read'] })
    const ask = async (address: string, path = '/v1/jobs') =>
      (
        await fetch(`${t.url}${path}`, {
          headers: { authorization: `Bearer ${String(body['key'])}`, 'x-forwarded-for': address },
        })
      ).status
    expect([await ask('192.0.2.1'), await ask('192.0.2.9')]).toEqual([200, 200])
    expect(await ask('203.0.113.1', '/v1/connections')).toBe(403)
    expect(await ask('203.0.113.1')).toBe(409)
    expect(await alarms()).toEqual(['key_new_network'])
    expect([await ask('192.0.2.1'), await frozen()]).toEqual([409, true])
  })

  it('of many failures is never more than a note, so that nobody can freeze somebody else', async () => {
    await start('freeze', { WAYBILL_LIMITS: 'on' })
    const browser = await t.browserOf(t.ann)
    for (let guess = 0; guess < 25; guess += 1) {
      const path = `/connect/accounts/unknown-${guess}`
      expect((await openFrom(browser, '127.0.0.1', undefined, path)).status).toBe(404)
    }
    expect(await alarms()).toEqual(['many_failures'])
    expect(await frozen()).toBe(false)
  })
})
