import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { shapes } from '../../../backend/api/schemas.ts'
import { request, startApi, type Api } from './start-api.ts'

let api: Api
let ada: string
let job: string

beforeEach(async () => {
  api = await startApi()
  ada = await api.bearer('1')
  const answer = await api.http.post('/v1/jobs').set('Authorization', ada).send(request)
  job = shapes.Job.parse(answer.body).id
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const receipt = (query = '', who = ada) =>
  api.http.get(`/v1/jobs/${job}/receipt${query}`).set('Authorization', who).buffer(true)

describe('a receipt', () => {
  it('comes as the lines of the newest run, each with its line end', async () => {
    api.jobs.finish(job, ['{"n":1}', '{"n":"ü\\n"}', '{"summary":{}}'])
    const answer = await receipt().expect(200)
    expect(answer.headers['content-type']).toMatch(/^application\/jsonl\b/)
    expect(answer.text).toBe('{"n":1}\n{"n":"ü\\n"}\n{"summary":{}}\n')
  })

  it('comes of an earlier run by its number', async () => {
    api.jobs.finish(job, ['{"run":1}'])
    await api.http.post(`/v1/jobs/${job}/runs`).set('Authorization', ada).expect(201)
    api.jobs.finish(job, ['{"run":2}'])
    expect((await receipt('?run=1')).text).toBe('{"run":1}\n')
    expect((await receipt()).text).toBe('{"run":2}\n')
    expect((await receipt('?run=3')).status).toBe(404)
  })

  it('is wrong_state while the run goes on, and not_found for somebody else', async () => {
    const early = await receipt()
    expect([early.status, early.body]).toMatchObject([409, { error: { code: 'wrong_state' } }])
    api.jobs.finish(job, ['{}'])
    const other = await receipt('', await api.bearer('2'))
    expect([other.status, other.body]).toMatchObject([404, { error: { code: 'not_found' } }])
  })

  it.each(['?run=0', '?run=-1', '?run=last', '?runs=1'])(
    'is not to be had with %s',
    async (query) => {
      expect((await receipt(query)).status).toBe(400)
    },
  )

  it('of many lines is read only as fast as the client takes it', async () => {
    let given = 0
    await using own = await startApi(({ jobs }) => ({
      jobs: {
        ...jobs,
        async *receipt() {
          for (; given < 100_000; given += 1) yield 'x'.repeat(1_000)
        },
      },
    }))
    const answer = await fetch(`${own.url}/v1/jobs/j/receipt`, {
      headers: { authorization: await own.bearer() },
    })
    const reader = answer.body?.getReader()
    await reader?.read()
    // The source stands still once every buffer on the way is full.
    let before = -1
    while (before !== given) {
      before = given
      await new Promise((next) => setTimeout(next, 100))
    }
    expect(given).toBeLessThan(50_000)
    await reader?.cancel()
  })

  it('is closed at its source when the client goes, and that is no failure of ours', async () => {
    const { promise: closed, resolve: close } = Promise.withResolvers<void>()
    await using own = await startApi(({ jobs }) => ({
      jobs: {
        ...jobs,
        async *receipt() {
          try {
            for (;;) yield 'x'.repeat(10_000)
          } finally {
            close()
          }
        },
      },
    }))
    const client = new AbortController()
    const answer = await fetch(`${own.url}/v1/jobs/j/receipt`, {
      headers: { authorization: await own.bearer() },
      signal: client.signal,
    })
    expect(answer.status).toBe(200)
    client.abort()
    await closed
    expect(await own.logged(1)).toMatchObject([{ severity: 'INFO', code: 'cancelled' }])
  })

  it('that breaks off halfway breaks the connection, so that nobody takes it for whole', async () => {
    await using own = await startApi(({ jobs }) => ({
      jobs: {
        ...jobs,
        async *receipt() {
          yield '{"n":1}'
          yield 'x'.repeat(100_000)
          throw new Error('canary')
        },
      },
    }))
    const answer = await fetch(`${own.url}/v1/jobs/j/receipt`, {
      headers: { authorization: await own.bearer() },
    })
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow('terminated')
    expect(await own.logged(1)).toMatchObject([{ severity: 'ERROR', code: 'internal' }])
    expect(own.log.join('')).not.toContain('canary')
  })
})
