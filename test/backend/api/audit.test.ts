import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { shapes } from '../../../backend/api/schemas.ts'
import { createMemoryAudit } from './memory-audit.ts'
import { startApi, type Api } from './start-api.ts'

let api: Api
let ada: string
/** Whose log was asked for. */
let asked: string[]

beforeEach(async () => {
  asked = []
  const memory = createMemoryAudit(120)
  api = await startApi(() => ({
    audit: {
      list: async (user, page) => {
        asked.push(user)
        return memory.list(user, page)
      },
      export: (user) => {
        asked.push(user)
        return memory.export(user)
      },
    },
  }))
  ada = await api.bearer('1')
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const get = (path: string, who = ada) => api.http.get(path).set('Authorization', who).buffer(true)

describe('the audit log', () => {
  it('is read page by page, from a number on', async () => {
    const first = shapes.AuditPage.parse((await get('/v1/audit').expect(200)).body)
    expect([first.lines.length, first.next]).toEqual([50, 50])
    const last = shapes.AuditPage.parse((await get('/v1/audit?from=100&limit=100')).body)
    expect([last.lines.at(0)?.line.number, last.lines.length, last.next]).toEqual([100, 20, null])
  })

  it('is exported as lines of the shapes that are described', async () => {
    const answer = await get('/v1/audit/export').expect(200)
    expect(answer.headers['content-type']).toMatch(/^application\/jsonl\b/)
    const lines = answer.text.trimEnd().split('\n')
    expect(lines.map((line) => shapes.AuditExport.safeParse(JSON.parse(line)).success)).toEqual(
      Array.from({ length: 122 }, () => true),
    )
  })

  it('is that of whoever asks, and of nobody without a token', async () => {
    await get('/v1/audit')
    await get('/v1/audit/export', await api.bearer('2'))
    expect(new Set(asked).size).toBe(2)
    for (const path of ['/v1/audit', '/v1/audit/export']) await api.http.get(path).expect(401)
    expect(asked).toHaveLength(2)
  })

  it.each(['?from=-1', '?from=x', '?limit=0', '?limit=101', '?user=2', '?from=1&from=2'])(
    'is not to be had with %s',
    async (query) => {
      expect((await get(`/v1/audit${query}`)).status).toBe(400)
      expect(asked).toEqual([])
    },
  )
})
