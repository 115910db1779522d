import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { userIdOf } from '../../backend/api/user-id.ts'
import { startUnderTest } from '../waybill-under-test.ts'
import type { UnderTest } from '../waybill-under-test.ts'

let t: UnderTest
let api: ReturnType<typeof request>
let token: string

beforeEach(async () => {
  t = await startUnderTest()
  const { issuer, drive, dropbox } = t.clouds
  const user = userIdOf('https://accounts.google.com', 'somebody')
  await t.waybill.connect(user, 'google-drive', drive.account.refreshToken)
  await t.waybill.connect(user, 'dropbox', dropbox.account.refreshToken)
  token = await issuer.mintIdToken({ sub: 'somebody', aud: t.settings.audiences[0] ?? '' })
  api = request(await t.waybill.serve())
})
afterEach(async () => {
  await t.close()
})

const get = (path: string) => api.get(path).set('Authorization', `Bearer ${token}`)
const post = (path: string) => api.post(path).set('Authorization', `Bearer ${token}`)

describe('the API of a running Waybill', () => {
  it('takes a job, tells how it goes, and gives its receipt', async () => {
    const folder = t.clouds.drive.addFolder('Src')
    for (let n = 0; n < 30; n += 1) t.clouds.drive.addFile(folder, `f${n}`, `content ${n}`)
    const connections = await get('/v1/connections').expect(200)
    const [source, destination] = connections.body.connections
    const created = await post('/v1/jobs')
      .send({
        kind: 'copy',
        source: { connection: source.id, selection: { kind: 'folder', id: folder } },
        destination: { connection: destination.id, folder: '/Backup' },
      })
      .expect(201)
    let view = created.body
    while (view.run.state !== 'done')
      view = (await get(`/v1/jobs/${view.id}?wait=10`).expect(200)).body
    expect(view.run.totals).toMatchObject({ copied: 30, failed: 0 })
    const receipt = await get(`/v1/jobs/${view.id}/receipt`).buffer(true).expect(200)
    const lines = receipt.text.trim().split('\n')
    expect(lines).toHaveLength(31)
    expect(JSON.parse(lines.at(-1) ?? '').summary).toMatchObject({
      copied: 30,
      root: view.run.root,
    })
    const again = await post(`/v1/jobs/${view.id}/runs`).expect(201)
    expect(again.body.run.number).toBe(2)
  })

  it('shows nobody the jobs of somebody else', async () => {
    const folder = t.clouds.drive.addFolder('Src')
    const { id } = await t.waybill.jobs.create(t.user, t.request({ kind: 'folder', id: folder }))
    const answer = await get(`/v1/jobs/${id}`).expect(404)
    expect(answer.body.error.code).toBe('not_found')
  })

  it('refuses a connection that is not the caller’s', async () => {
    const [source, destination] = await t.waybill.connections.list(t.user)
    const answer = await post('/v1/jobs')
      .send({
        kind: 'copy',
        source: { connection: source?.id, selection: { kind: 'drive', sharedDrives: false } },
        destination: { connection: destination?.id, folder: '/Backup' },
      })
      .expect(404)
    expect(answer.body.error.code).toBe('not_found')
  })
})
