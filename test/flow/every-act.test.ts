import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startDomain } from '../backend/connect/start-domain.ts'
import type { DomainUnderTest, Member } from '../backend/connect/start-domain.ts'

let t: DomainUnderTest
beforeEach(async () => {
  t = await startDomain()
})
afterEach(async () => t.close())

async function actsIn(who: Member, path: string): Promise<readonly string[]> {
  await t.waybill.chainActs()
  const { body } = await t.call(who, 'GET', path)
  return [...JSON.stringify(body).matchAll(/"act":"(\w+)"/g)].map(([, act = '']) => act)
}

describe('the log has a line', () => {
  it('for each thing that a person does with their accounts, sign-ins and switch', async () => {
    const browser = await t.browserOf(t.adam)
    const { body } = await t.call(t.adam, 'POST', '/v1/connections/start', { provider: 'dropbox' })
    const back = await t.goThrough(browser, String(body['url']))
    const id = new URL(back.url).pathname.split('/').at(-1) ?? ''
    await t.call(t.adam, 'POST', `/v1/connections/${id}/confirm`)
    // Nothing is told of what was so already.
    await t.call(t.adam, 'POST', `/v1/connections/${id}/confirm`)
    await t.call(t.adam, 'POST', '/v1/freeze')
    await t.call(t.adam, 'POST', '/v1/unfreeze')
    await t.call(t.adam, 'DELETE', `/v1/connections/${id}`)
    await browser.press(await browser.open(`${t.url}/connect/accounts`), /Sign out/)
    const acts = await actsIn(t.adam, '/v1/audit')
    expect(acts).toEqual([
      'signed_in',
      'account_connected',
      'account_confirmed',
      'user_frozen',
      'user_unfrozen',
      'account_disconnected',
      'signed_out',
    ])
  })

  it('in the log of the domain when somebody of it is erased', async () => {
    await t.connectDomain()
    await t.call(t.adam, 'GET', '/v1/jobs')
    const { body } = await t.call(t.adam, 'POST', '/v1/me/erase/ask')
    await t.call(t.adam, 'POST', '/v1/me/erase', { code: body['code'] })
    expect(await actsIn(t.ada, '/v1/admin/audit')).toContain('user_erased')
  })
})
