import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { z } from 'zod'
import { verifyCertificate } from '../../backend/audit/certificate.ts'
import { leaksIn } from '../spellings.ts'
import type { UnderTest } from '../waybill-under-test.ts'
import { onBothPlatforms } from './on-both-platforms.ts'

const view = z.looseObject({ certificate: z.json() })

onBothPlatforms('a person who leaves', (start) => {
  let t: UnderTest
  beforeEach(async () => {
    t = await start()
  })
  afterEach(async () => t.close())

  it('gets all that is kept about them, is erased, and comes back as somebody new', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Top')
    const inner = drive.addFolder('Canary "Pläne" 7/2', folder)
    const file = drive.addFile(inner, 'canary-name ü.txt', 'content')
    const job = await t.copy({ kind: 'folder', id: folder }, '/Canary "folder" ö')
    const connections = await t.waybill.connections.list(t.user)
    const names = [
      'Canary "Pläne" 7/2',
      'canary-name ü.txt',
      'Canary "folder" ö',
      file,
      folder,
      drive.account.email,
      dropbox.account.email,
    ]
    const tokens = [drive.account.refreshToken, dropbox.account.refreshToken]
    const url = await t.serve()
    const texts: string[] = []
    for await (const text of t.waybill.rights.export(t.user)) texts.push(text)
    const exported = texts.join('\n')
    expect(names.filter((name) => !exported.includes(JSON.stringify(name).slice(1, -1)))).toEqual(
      [],
    )
    expect(leaksIn(Buffer.from(exported), tokens)).toEqual([])

    const { rights } = t.waybill
    const { id, secret } = await rights.erase(t.user, (await rights.eraseAsk(t.user)).code)
    let certificate: unknown = null
    for (let turns = 0; certificate === null && turns < 10; turns += 1) {
      await t.waybill.chainActs()
      await rights.proceed()
      const answer = await fetch(`${url}/v1/certificates/${id}?secret=${secret}`)
      certificate = view.parse(await answer.json()).certificate
    }
    const { statement } = verifyCertificate(JSON.stringify(certificate))
    const isApart = t.googleCloud !== null
    expect(statement).toMatchObject({
      deleted: { connections: 2, jobs: 1, runs: 1, ledgerRows: 3 },
      copies: { keys: isApart ? 'apart' : 'inside', wiped: isApart ? null : true },
      providers: { pending: [], byThePerson: 0 },
    })
    const lingers = Date.parse(statement.copies.unreadableFrom) - Date.parse(statement.keyDeletedAt)
    expect(lingers).toBe(isApart ? 3_600_000 : 0)
    // Who says so is in the certificate; the queue has the names of its tasks.
    const ids = [t.user, ...connections.map((connection) => connection.id)]
    expect(leaksIn(await t.kept(), [...names, ...tokens, ...ids])).toEqual([])
    expect(leaksIn(Buffer.from(t.logged.join('')), [...names, ...tokens, t.user])).toEqual([])
    await expect(t.waybill.jobs.get(t.user, job.id)).rejects.toMatchObject({ code: 'not_found' })
    for (const oauth of [drive.oauth, dropbox.oauth]) {
      const live = oauth.liveGrants().flatMap(({ refreshTokens }) => refreshTokens)
      expect(live.filter((token) => tokens.includes(token))).toEqual([])
    }
    expect(Object.keys(await t.copied())).toHaveLength(1)
    expect(await t.waybill.connections.list(t.user)).toEqual([])
    expect(await rights.eraseAsk(t.user)).toHaveProperty('code')
  })
})
