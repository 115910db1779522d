import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { shapes } from '../../../backend/api/schemas.ts'
import type { JobView } from '../../../backend/run/jobs.ts'
import { request, startApi, type Api } from './start-api.ts'

let api: Api
let ada: string
let grace: string

beforeEach(async () => {
  api = await startApi()
  ada = await api.bearer('1')
  grace = await api.bearer('2')
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const get = (path: string, who = ada) => api.http.get(path).set('Authorization', who)
const post = (path: string, who = ada) => api.http.post(path).set('Authorization', who)
const create = async (who = ada): Promise<JobView> =>
  shapes.Job.parse((await post('/v1/jobs', who).send(request).expect(201)).body)

describe('creating a job', () => {
  it('answers 201 with the job, its first run queued, and where it is', async () => {
    const answer = await post('/v1/jobs').send(request).expect(201)
    expect(answer.body).toMatchObject({ request, run: { number: 1, state: 'queued' } })
    const { id } = shapes.Job.parse(answer.body)
    expect(answer.headers['location']).toBe(`/v1/jobs/${id}`)
    const read = await get(`/v1/jobs/${id}`).expect(200)
    expect(read.body).toEqual(answer.body)
  })

  it('takes picked items and a whole drive as well', async () => {
    for (const selection of [
      { kind: 'items', ids: ['a', 'b'] },
      { kind: 'drive', sharedDrives: true },
    ]) {
      const body = { ...request, source: { connection: 'drive-1', selection } }
      const answer = await post('/v1/jobs').send(body).expect(201)
      expect(answer.body).toMatchObject({ request: body })
    }
  })

  it('takes a backup with a schedule, and says when it runs next', async () => {
    for (const schedule of [
      { every: 'hour' },
      { every: 'day', at: '02:30', zone: 'Europe/Berlin' },
      { every: 'week', on: ['monday', 'thursday'], at: '23:59', zone: 'America/Nuuk' },
    ]) {
      const body = { ...request, kind: 'backup', schedule }
      const answer = await post('/v1/jobs').send(body).expect(201)
      expect(answer.body).toMatchObject({ request: body })
      const next = Date.parse(shapes.Job.parse(answer.body).nextRunAt ?? '')
      expect(next).toBeGreaterThan(Date.UTC(2027, 0, 15, 12))
    }
    const without = await post('/v1/jobs').send(request).expect(201)
    expect(without.body).toMatchObject({ nextRunAt: null })
  })

  it('is not_found for a connection that is not there', async () => {
    const source = { ...request.source, connection: 'nobody' }
    const answer = await post('/v1/jobs')
      .send({ ...request, source })
      .expect(404)
    expect(answer.body).toMatchObject({ error: { code: 'not_found' } })
  })

  it.each([
    ['kind', { ...request, kind: 'teleport' }],
    ['schedule.every', { ...request, schedule: { every: 'month' } }],
    ['source', { kind: 'copy', destination: request.destination }],
    ['source.selection.kind', { ...request, source: { connection: 'drive-1', selection: {} } }],
    [
      'source.selection.ids',
      { ...request, source: { connection: 'drive-1', selection: { kind: 'items', ids: [] } } },
    ],
    [
      'source.selection.id',
      {
        ...request,
        source: { connection: 'drive-1', selection: { kind: 'folder', id: "' or '" } },
      },
    ],
    ...['Backups', '/', '//a', '/a//b', '/a/', '/..', '/a/../b', '/./a', '/a\nb', '', 5].map(
      (folder) =>
        ['destination.folder', { ...request, destination: { connection: 'x', folder } }] as const,
    ),
  ])('names the field %s when it is not right', async (field, body) => {
    const answer = await post('/v1/jobs').send(body).expect(400)
    expect(answer.body).toEqual({
      error: { code: 'invalid_request', message: expect.stringContaining(`"${field}"`) },
    })
  })

  it.each(['/.hidden', '/a..b', '/Ünï côdé/你好', '/a b/c'])(
    'takes the folder %s',
    async (folder) => {
      const destination = { connection: 'dropbox-1', folder }
      const answer = await post('/v1/jobs').send({ ...request, destination })
      expect(answer.status).toBe(201)
    },
  )

  it('names a field that it does not know, wherever it stands', async () => {
    const body = { ...request, source: { ...request.source, recursive: true } }
    const answer = await post('/v1/jobs').send(body).expect(400)
    expect(answer.body).toEqual({
      error: { code: 'invalid_request', message: 'Unknown field "source.recursive".' },
    })
  })
})

describe('the schedule of a job', () => {
  const daily = { every: 'day', at: '02:30', zone: 'Europe/Berlin' }
  const weekly = { ...daily, every: 'week', on: ['monday'] }

  it('is changed and taken away', async () => {
    const { id } = await create()
    const path = `/v1/jobs/${id}/schedule`
    const changed = await post(path).send({ schedule: daily }).expect(200)
    expect(changed.body).toMatchObject({ request: { ...request, schedule: daily } })
    const read = await get(`/v1/jobs/${id}`).expect(200)
    expect(read.body).toEqual(changed.body)
    // Half past two in Berlin, and up to a quarter of an hour later.
    expect(read.body).toMatchObject({ nextRunAt: expect.stringMatching(/^2027-01-16T01:[34]/) })
    const gone = await post(path).send({ schedule: null }).expect(200)
    expect(gone.body).toMatchObject({ request, nextRunAt: null })
    expect(shapes.Job.parse(gone.body).request).not.toHaveProperty('schedule')
  })

  it('is its owner’s', async () => {
    const { id } = await create()
    const answer = await post(`/v1/jobs/${id}/schedule`, grace).send({ schedule: null }).expect(404)
    expect(answer.body).toMatchObject({ error: { code: 'not_found' } })
  })

  it.each([
    ['schedule', {}],
    ['schedule.every', { schedule: { every: 'never' } }],
    ['schedule.at', { schedule: { every: 'day', zone: 'UTC' } }],
    ...['24:00', '2:30', '02:60', '02:30:00', '', 5].map(
      (at) => ['schedule.at', { schedule: { ...daily, at } }] as const,
    ),
    ...['Europe/Atlantis', '+02:00', '', 7].map(
      (zone) => ['schedule.zone', { schedule: { ...daily, zone } }] as const,
    ),
    ...[[], ['monday', 'monday'], 'monday'].map(
      (on) => ['schedule.on', { schedule: { ...weekly, on } }] as const,
    ),
    ['schedule.on.0', { schedule: { ...weekly, on: ['mon'] } }],
    ['schedule.on', { schedule: { ...daily, on: ['monday'] } }],
    ['schedule.at', { schedule: { every: 'hour', at: '02:30' } }],
  ])('names the field %s when it is not right', async (field, body) => {
    const { id } = await create()
    const answer = await post(`/v1/jobs/${id}/schedule`).send(body).expect(400)
    expect(answer.body).toEqual({
      error: { code: 'invalid_request', message: expect.stringContaining(`"${field}"`) },
    })
  })
})

describe('reading a job', () => {
  it('is not_found for somebody else, for one that never was, and for what cannot be an id', async () => {
    const { id } = await create()
    for (const path of [
      `/v1/jobs/${id}`,
      '/v1/jobs/never',
      '/v1/jobs/a%2Fb',
      '/v1/jobs/%F0%9F%8D%8B',
    ]) {
      const answer = await get(path, grace).expect(404)
      expect(answer.body).toMatchObject({ error: { code: 'not_found' } })
    }
  })

  it('waits until the run differs', async () => {
    const { id } = await create()
    const waiting = get(`/v1/jobs/${id}?wait=60`).then((answer) => shapes.Job.parse(answer.body))
    const poll = setInterval(() => api.jobs.advance(id, { state: 'running', scanned: 7 }), 5)
    const job = await waiting
    clearInterval(poll)
    expect(job.run).toMatchObject({ state: 'running', scanned: 7 })
  })

  it('answers at once when the run is over, and when not asked to wait', async () => {
    const { id } = await create()
    await get(`/v1/jobs/${id}?wait=0`).expect(200)
    await post(`/v1/jobs/${id}/cancel`).expect(200)
    const answer = await get(`/v1/jobs/${id}?wait=60`).expect(200)
    expect(answer.body).toMatchObject({ run: { state: 'cancelled' } })
  })

  it.each(['61', '-1', '1.5', '', 'soon', '1e1', '1&wait=2'])(
    'refuses to wait for "%s" seconds',
    async (wait) => {
      const { id } = await create()
      const answer = await get(`/v1/jobs/${id}?wait=${wait}`).expect(400)
      expect(answer.body).toMatchObject({
        error: { code: 'invalid_request', message: expect.stringContaining('"wait"') },
      })
    },
  )

  it('stops waiting when the client has gone', async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<AbortSignal | undefined>()
    await using own = await startApi(({ jobs }) => ({
      jobs: {
        ...jobs,
        wait: (_user, _job, _ms, signal) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(new DOMException('Gone.', 'AbortError')))
            ask(signal)
          }),
      },
    }))
    const client = new AbortController()
    const answer = fetch(`${own.url}/v1/jobs/job-001?wait=60`, {
      headers: { authorization: await own.bearer() },
      signal: client.signal,
    }).catch((error: unknown) => error)
    const signal = await asked
    expect(signal?.aborted).toBe(false)
    client.abort()
    await answer
    const line = await own.logged(1)
    expect(line).toMatchObject([{ severity: 'INFO', code: 'cancelled' }])
    expect(signal?.aborted).toBe(true)
  })
})

describe('listing jobs', () => {
  it('pages through all of a person’s jobs, newest last, and nobody else’s', async () => {
    const ids: string[] = []
    for (let each = 0; each < 5; each += 1) {
      ids.push((await create()).id)
      await create(grace)
    }
    const seen: string[] = []
    const sizes: number[] = []
    let after = ''
    do {
      const page = shapes.JobList.parse((await get(`/v1/jobs?limit=2${after}`).expect(200)).body)
      seen.push(...page.jobs.map((job) => job.id))
      sizes.push(page.jobs.length)
      after = page.next === null ? '' : `&after=${page.next}`
    } while (after !== '')
    expect(seen).toEqual(ids)
    expect(sizes).toEqual([2, 2, 1])
  })

  it('gives 20 jobs unless told', async () => {
    for (let each = 0; each < 21; each += 1) await create()
    const { jobs } = shapes.JobList.parse((await get('/v1/jobs').expect(200)).body)
    expect(jobs).toHaveLength(20)
  })

  it.each(['limit=0', 'limit=101', 'limit=', 'after=', 'after=a%20b', 'page=2', 'limit[]=3'])(
    'refuses ?%s',
    async (query) => {
      const answer = await get(`/v1/jobs?${query}`).expect(400)
      expect(answer.body).toMatchObject({ error: { code: 'invalid_request' } })
    },
  )
})

describe('steering a job', () => {
  it('pauses, resumes and cancels', async () => {
    const { id } = await create()
    for (const [verb, state] of [
      ['pause', 'paused'],
      ['resume', 'queued'],
      ['cancel', 'cancelled'],
    ]) {
      const answer = await post(`/v1/jobs/${id}/${verb}`).expect(200)
      expect(answer.body).toMatchObject({ id, run: { state } })
    }
  })

  it('runs again with the next number, and only when the last run is over', async () => {
    const { id } = await create()
    const early = await post(`/v1/jobs/${id}/runs`).expect(409)
    expect(early.body).toMatchObject({ error: { code: 'wrong_state' } })
    api.jobs.finish(id, [])
    const answer = await post(`/v1/jobs/${id}/runs`).expect(201)
    expect(answer.body).toMatchObject({ id, run: { number: 2, state: 'queued' } })
    expect(answer.headers['location']).toBe(`/v1/jobs/${id}`)
  })

  it.each(['pause', 'resume', 'cancel'])(
    'is wrong_state to %s a run that is over',
    async (verb) => {
      const { id } = await create()
      api.jobs.finish(id, [])
      const answer = await post(`/v1/jobs/${id}/${verb}`).expect(409)
      expect(answer.body).toMatchObject({ error: { code: 'wrong_state' } })
    },
  )

  it.each(['pause', 'resume', 'cancel', 'runs'])(
    'is not_found to %s somebody else’s job',
    async (verb) => {
      const { id } = await create()
      await post(`/v1/jobs/${id}/${verb}`, grace).expect(404)
      const job = await get(`/v1/jobs/${id}`)
      expect(job.body).toMatchObject({ run: { state: 'queued', number: 1 } })
    },
  )

  it('takes an empty body of any kind, an empty object, and nothing else', async () => {
    const { id } = await create()
    await post(`/v1/jobs/${id}/pause`).type('form').send('').expect(200)
    await post(`/v1/jobs/${id}/resume`).send({}).expect(200)
    const answer = await post(`/v1/jobs/${id}/pause`).send({ force: true }).expect(400)
    expect(answer.body).toMatchObject({ error: { message: 'Unknown field "force".' } })
  })
})
