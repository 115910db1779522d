import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { startConnecting } from '../connect/start-connecting.ts'
import type { ConnectingUnderTest } from '../connect/start-connecting.ts'

/*
 * Ann has everything that can be had. Bob knows the ids of all of it, and asks every route for it.
 */

let t: ConnectingUnderTest
let ids: readonly string[]
beforeAll(async () => {
  t = await startConnecting()
  const { user } = t.ann
  const { drive, dropbox } = t.clouds
  const from = await t.waybill.connect(user, 'google-drive', drive.account.refreshToken)
  const to = await t.waybill.connect(user, 'dropbox', dropbox.account.refreshToken)
  const browser = await t.browserOf(t.ann)
  const back = await t.goThrough(browser, await t.link(t.ann, 'box'))
  const third = new URL(back.url).pathname.split('/').at(-1) ?? ''
  const job = await t.waybill.jobs.create(user, {
    kind: 'copy',
    source: { connection: from.id, selection: { kind: 'drive', sharedDrives: false } },
    destination: { connection: to.id, folder: '/Ann' },
  })
  ids = [job.id, job.run.run, from.id, to.id, third]
})
afterAll(async () => t.close())

const paths = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() }))),
})

async function stateOfAnn(): Promise<unknown> {
  const all = ['/v1/jobs', '/v1/connections', '/v1/freeze']
  return Promise.all(all.map(async (path) => t.api(t.ann, 'GET', path)))
}

const secretsOfAnn = (): readonly string[] => [
  ...ids,
  t.ann.email,
  t.ann.user,
  t.clouds.dropbox.account.email,
  t.clouds.box.account.email,
  '/Ann',
]

function tellsNothing(text: string, asked: string): void {
  const told = secretsOfAnn().filter((each) => text.includes(each) && !asked.includes(each))
  expect([asked, told]).toEqual([asked, []])
}

it('no route of the API tells anybody about somebody else, or changes anything of theirs', async () => {
  const before = await stateOfAnn()
  const token = await t.clouds.issuer.mintIdToken({
    sub: t.bob.sub,
    aud: t.clouds.drive.account.clientId,
  })
  const described = paths.parse(await (await fetch(`${t.url}/v1/openapi.json`)).json())
  let asked = 0
  for (const [path, methods] of Object.entries(described.paths))
    for (const method of Object.keys(methods))
      for (const id of ids)
        for (const [source, destination] of [ids.slice(2, 4), ids.slice(3, 5)]) {
          const bodies: Readonly<Record<string, object>> = {
            '/v1/jobs': {
              kind: 'copy',
              source: { connection: source, selection: { kind: 'items', ids: ['a'] } },
              destination: { connection: destination, folder: '/Bob' },
            },
            '/v1/jobs/{id}/schedule': { schedule: null },
            '/v1/connections/start': { provider: 'dropbox' },
          }
          const url = path.replace('{id}', id)
          const body = method === 'post' ? bodies[path] : undefined
          const response = await fetch(`${t.url}${url}`, {
            method,
            headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          })
          tellsNothing(await response.text(), `${method} ${url} ${JSON.stringify(body)}`)
          const isTheirs = path.includes('{id}') || `${method} ${path}` === 'post /v1/jobs'
          expect([method, url, response.status === 404]).toEqual([method, url, isTheirs])
          asked += 1
        }
  expect(asked).toBeGreaterThan(150)
  expect(await stateOfAnn()).toEqual(before)
})

it('nor does any page', async () => {
  const before = await stateOfAnn()
  const browser = await t.browserOf(t.bob)
  const own = await browser.open(`${t.url}/connect/accounts`)
  const form = /name="form"\s+value="([^"]+)"/.exec(own.text)?.[1] ?? ''
  expect(form).not.toBe('')
  tellsNothing(own.text, '')
  const jar = browser.cookies.get(new URL(t.url).host) ?? new Map<string, string>()
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const ticket = new URL(await t.link(t.ann, 'dropbox')).pathname
  const pages = [
    ['GET', ticket, 403],
    ['POST', ticket, 403],
    ...ids.flatMap((id) => [
      ['GET', `/connect/accounts/${id}`, 404] as const,
      ['POST', `/connect/accounts/${id}/confirm`, 404] as const,
      ['POST', `/connect/accounts/${id}/disconnect`, 404] as const,
      ['GET', `/connect/accounts/${id}/pick`, 404] as const,
      ['POST', `/connect/accounts/${id}/pick`, 404] as const,
    ]),
  ] as const
  for (const [method, path, status] of pages) {
    const response = await fetch(`${t.url}${path}`, {
      method,
      headers: { cookie, origin: t.url },
      ...(method === 'POST' ? { body: new URLSearchParams({ form, ids: '1a' }) } : {}),
    })
    tellsNothing(await response.text(), path)
    expect([method, path, response.status]).toEqual([method, path, status])
  }
  expect(await stateOfAnn()).toEqual(before)
})
