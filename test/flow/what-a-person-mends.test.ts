import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { UnderTest } from '../waybill-under-test.ts'
import { onBothPlatforms } from './on-both-platforms.ts'

onBothPlatforms('what a person has to mend', (start) => {
  let t: UnderTest
  beforeEach(async () => {
    t = await start()
  })
  afterEach(async () => {
    await t.close()
  })

  it('waits when the destination is full, and goes on when there is room', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    for (let n = 0; n < 10; n += 1) drive.addFile(folder, `f${n}`, Buffer.alloc(1000, n))
    dropbox.setSpace(4500)
    const { id } = await t.waybill.jobs.create(t.user, t.request({ kind: 'folder', id: folder }))
    const waiting = await t.settled(id)
    expect(waiting.run).toMatchObject({
      state: 'paused',
      reason: 'destination_full',
      resumesAt: null,
    })
    dropbox.setSpace(1e9)
    await t.waybill.jobs.resume(t.user, id)
    const end = await t.settled(id)
    expect(end.run).toMatchObject({ state: 'done', totals: { copied: 10, failed: 0 } })
    expect(Object.keys(await t.copied())).toHaveLength(10)
  })

  it('waits when a file lies where the folder is to be, and goes on once it is moved away', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    drive.addFile(folder, 'f', 'x')
    await dropbox.put('/Backup', 'a file')
    const { id } = await t.waybill.jobs.create(t.user, t.request({ kind: 'folder', id: folder }))
    expect((await t.settled(id)).run).toMatchObject({ state: 'paused', reason: 'folder_taken' })
    dropbox.move('/Backup', '/Moved away')
    await t.waybill.jobs.resume(t.user, id)
    expect((await t.settled(id)).run).toMatchObject({ state: 'done', totals: { copied: 1 } })
    expect(Object.keys(await t.copied()).toSorted()).toEqual(['Backup/f', 'Moved away'])
  })

  it('says that a folder is not there', async () => {
    const { id } = await t.waybill.jobs.create(t.user, t.request({ kind: 'folder', id: 'nowhere' }))
    const end = await t.settled(id)
    expect(end.run).toMatchObject({ state: 'failed', reason: 'source_missing' })
  })

  it('waits when an account has to be connected again, and goes on once it is', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    drive.addFile(folder, 'f', 'x')
    dropbox.tokens.revoke(dropbox.account.refreshToken)
    dropbox.tokens.expireAccessTokens()
    const { id } = await t.waybill.jobs.create(t.user, t.request({ kind: 'folder', id: folder }))
    const waiting = await t.settled(id)
    expect(waiting.run).toMatchObject({ state: 'paused', reason: 'connection_expired' })
    const [, connection] = await t.waybill.connections.list(t.user)
    expect(connection?.state).toBe('expired')
  })

  it('gets a new access token when one expires in the middle of a run', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    for (let n = 0; n < 50; n += 1) drive.addFile(folder, `f${n}`, `${n}`)
    drive.faults.plan({ route: 'drive.files.download', nth: 20, fault: 'goauth.expired' })
    dropbox.tokens.expireAccessTokens()
    const job = await t.copy({ kind: 'folder', id: folder })
    expect(job.run.totals).toMatchObject({ copied: 50, failed: 0 })
  })
})
