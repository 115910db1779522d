import { expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { leaksIn } from '../../spellings.ts'
import { startApi, request } from './start-api.ts'

it('no secret that goes in anywhere comes out in the log, nor in an answer to somebody else', async () => {
  const canaries: string[] = []
  const canary = () => {
    const secret = `canary-${randomBytes(9).toString('hex')}@x.example`
    canaries.push(secret)
    return secret
  }
  const word = () => canary().replace(/@.*/, '')
  await using api = await startApi(({ jobs }) => ({
    connections: {
      list: () =>
        Promise.reject(Object.assign(new Error(canary()), { status: 503, body: canary() })),
    },
    jobs: {
      ...jobs,
      pause: () => Promise.reject(new Error(`at /${canary()}/backend/x.ts:1\n    at ${canary()}`)),
      resume: () => Promise.reject(canary()),
    },
  }))
  const ada = await api.bearer(word())
  const answers: string[] = []
  let asked = 0
  async function ask(method: string, path: string, body?: string, headers: object = {}) {
    const answer = await fetch(`${api.url}${path}`, {
      method,
      headers: { authorization: ada, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body }),
    })
    asked += 1
    answers.push(await answer.text(), JSON.stringify([...answer.headers]))
  }

  const paths = ['', '/x/pause', '/x/resume', '/x/cancel', '/x/runs', '/x/receipt']
  for (let each = 0; each < 40; each += 1) {
    const path = paths[each % paths.length] ?? ''
    await ask('GET', `/v1/jobs/${word()}`)
    await ask('GET', `/v1/jobs/${encodeURIComponent(canary())}`)
    await ask('GET', `/v1/jobs?after=${encodeURIComponent(canary())}`)
    await ask('GET', `/v1/jobs?${encodeURIComponent(canary())}=1`)
    await ask('GET', '/v1/connections', undefined, { cookie: canary(), 'user-agent': canary() })
    await ask('GET', `/${encodeURIComponent(canary())}`, undefined, { referer: canary() })
    await ask('GET', '/v1/jobs', undefined, { authorization: `Bearer ${canary()}` })
    await ask('GET', '/v1/jobs', undefined, {
      authorization: `Bearer ${await api.issuer.token({ aud: canary(), email: canary(), name: canary() })}`,
    })
    await ask('POST', `/v1/jobs${path}`, `{"${canary()}":"${canary()}"}`)
    await ask('POST', `/v1/jobs${path}`, `{"kind":"${canary()}"`)
    await ask('POST', `/v1/jobs${path}`)
    await ask('POST', '/v1/jobs', JSON.stringify({ ...request, kind: canary() }))
    await ask('POST', '/v1/jobs', canary(), { 'content-type': canary().replace('@', '/') })
    const destination = { connection: word(), folder: `/${canary()}` }
    await ask('POST', '/v1/jobs', JSON.stringify({ ...request, destination }))
  }

  await api.logged(asked)
  const out = [api.log.join(''), answers.join('')].join('\n')
  expect(leaksIn(Buffer.from(out), canaries)).toEqual([])
  expect(canaries.length).toBeGreaterThan(600)
})
