import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyCertificate } from '../../../backend/audit/certificate.ts'
import { verifyLog } from '../../../backend/audit/verify-log.ts'
import { createAuditLog } from '../../../backend/audit/read-log.ts'
import { personalTenant } from '../../../backend/records/audit-lines.ts'
import { kinds, linesOf } from '../../../backend/rights/kinds.ts'
import { createFirestoreStore } from '../../../backend/store/firestore.ts'
import { collections } from '../../../backend/store/limits.ts'
import { openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import type { Store } from '../../../backend/store/store.ts'
import { describeWithFirestore } from '../../platform/firestore.ts'
import { dumpFirestore } from '../../platform/firestore-dump.ts'
import { leaksIn } from '../../spellings.ts'
import { certificateOf, everything, worldOn } from './erasing.ts'
import type { World } from './erasing.ts'
import { furnish } from './person.ts'

const ann = 'user-of-ann-4711'
const bob = 'user-of-bob-4712'

/** A new empty store. */
type Open = (clock: () => number) => { readonly store: Store; readonly dump: () => Promise<Buffer> }

function declareErasing(open: Open, every: number): void {
  let world: World
  let dump: () => Promise<Buffer>
  const begin = (): void => {
    const time = { now: 1_800_000_000_000 }
    const opened = open(() => time.now)
    world = worldOn(opened.store, time)
    dump = opened.dump
  }
  beforeEach(begin)
  afterEach(() => world.store.close())

  it('leaves nothing of the person, in whatever encoding, and everything of others', async () => {
    const process = world.process()
    const others = await furnish(process, bob)
    await process.tick()
    const before = await everything(world.store)
    const { canaries, tokens, ids } = await furnish(process, ann)
    await process.tick()
    const tenantOfAnn = personalTenant(await process.owners.of(ann))
    const log = createAuditLog({ ...process, tenantOf: () => tenantOfAnn })
    const textsOf = async (): Promise<readonly string[]> => {
      const texts: string[] = []
      for await (const text of log.export(bob)) texts.push(text)
      return texts
    }
    const { lines, root } = await verifyLog(await textsOf())
    expect((await dump()).includes(ann)).toBe(true)

    const certificate = await certificateOf(world, await process.erase(ann))
    const { statement } = verifyCertificate(JSON.stringify(certificate))
    expect(statement.deleted).toEqual({
      connections: 2,
      jobs: 2,
      runs: 2,
      manifestPages: 2,
      ledgerRows: 30,
      transfers: 4,
      receiptPages: 2,
      sessions: 1,
      apiKeys: 1,
      sightings: 1,
      picks: 1,
      people: 1,
      tickets: 1,
      signIns: 1,
    })
    expect(statement).toMatchObject({ linesKept: 8, providers: { byThePerson: 1 } })
    expect(statement.providers.pending.map(({ provider }) => provider)).toEqual(['box', 'box'])
    // The key of a revocation is named by the connection that there was, for a week.
    const gone = ids.filter((id) => id === ann || id.includes('job'))
    const kept = await dump()
    expect(kept.includes(bob)).toBe(true)
    expect(leaksIn(kept, [...canaries, ...tokens, ...gone])).toEqual([])

    const later = await verifyLog(await textsOf())
    // That two accounts were disconnected, and that all was erased.
    expect(later.lines).toBe(lines + 3)
    expect(later.root).not.toBe(root)
    const after = await everything(world.store)
    const acts = after.audit.filter(({ fields }) => fields['tenant'] === tenantOfAnn)
    const wiped = acts.map(({ fields, body }) => `${fields['act']} ${body === null}`)
    const paused = 'job_paused true'
    expect(wiped.toSorted()).toEqual([
      'account_disconnected true',
      'account_disconnected true',
      'api_key_created true',
      'files_picked true',
      paused,
      paused,
      paused,
      'signed_in true',
      'user_erased false',
    ])
    for (const collection of collections) {
      if (['audit', 'heads', 'erasures', 'revocations', 'keys'].includes(collection)) continue
      expect([collection, after[collection]]).toEqual([collection, before[collection]])
    }
    for (const collection of ['audit', 'heads', 'revocations', 'keys'] as const)
      expect(after[collection]).toEqual(expect.arrayContaining([...before[collection]]))
    expect(await world.process().exported(bob)).not.toHaveLength(0)
    expect(others.canaries.length).toBeGreaterThan(50)
  })

  it('goes on wherever it was killed, and counts what it deleted once', async () => {
    let killed = 0
    const counted: string[] = []
    for (let step = 1; ; step += every) {
      const life = { left: step, after: step % 2 === 0 }
      world.store.close()
      begin()
      const { canaries, tokens } = await furnish(world.process(), ann, { jobs: 1, rows: 2 })
      const { code } = await world.process().rights.eraseAsk(ann)
      const mortal = world.process(life)
      const begun = await mortal.rights.erase(ann, code).catch(() => null)
      // Between the key's end and the person's, something stands in its place.
      const midway = (await world.store.get('erasures', begun?.id ?? 'none'))?.fields['step']
      const isBetween = ['jobs', 'rest', 'details'].includes(String(midway))
      const key = await world.store.get('keys', ann)
      expect([midway, key?.fields['erased'] === true || !isBetween]).toEqual([midway, true])
      // If it had not begun, or nobody was told that it had, a tick does what there is to do.
      await world.process().tick()
      await world.process().tick()
      const frozen = await world.store.get('freezes', ann)
      const isWhole = frozen !== null && (await world.store.get('keys', ann))?.body !== null
      const left = isWhole ? [] : leaksIn(await dump(), [...canaries, ...tokens, ann])
      expect([frozen?.fields['erasure'], left]).toEqual([undefined, []])
      const { audit } = await everything(world.store)
      const told = audit.filter(({ fields }) => fields['act'] === 'user_erased')
      expect([step, told.length]).toEqual([step, isWhole ? 0 : 1])
      if (begun === null) continue
      if (life.left <= 0) killed += 1
      const { statement } = verifyCertificate(JSON.stringify(await certificateOf(world, begun)))
      counted.push(
        JSON.stringify([statement.deleted, statement.linesKept, statement.providers.byThePerson]),
      )
      if (life.left > 0) break
    }
    // However it was killed, or not at all.
    expect(JSON.parse(counted[0] ?? '')).toMatchObject([{ connections: 2, ledgerRows: 2 }, 8, 1])
    expect(new Set(counted).size).toBe(1)
    expect(killed).toBeGreaterThan(20 / every)
  })

  it('leaves a backup from before of which no record opens', async () => {
    const process = world.process()
    const { canaries } = await furnish(process, ann)
    const backup = await everything(world.store)
    await certificateOf(world, await process.erase(ann))
    const restored = world.process()
    const owner = await restored.owners.of(ann)
    let tried = 0
    for (const collection of collections) {
      const kind = kinds[collection]
      if (!('name' in kind)) continue
      // What is sealed in these no kind opens: it was tokens only.
      const isOpened = !['tickets', 'signIns', 'freezes', 'revocations'].includes(collection)
      for (const document of backup[collection].filter(({ body }) => body !== null)) {
        const lines = linesOf(kind, owner, document)
        expect(leaksIn(Buffer.from(JSON.stringify(lines)), canaries)).toEqual([])
        expect([collection, isOpened, lines]).toEqual([
          collection,
          isOpened,
          isOpened ? [null] : lines,
        ])
        if (isOpened) tried += 1
      }
    }
    expect(tried).toBeGreaterThan(40)
  })

  it('lets nothing of the person begin while it is under way, nor keys be made; afterwards they are somebody new', async () => {
    const process = world.process()
    await furnish(process, ann, { jobs: 1, rows: 1 })
    const { code } = await process.rights.eraseAsk(ann)
    const life = { left: 22, after: true }
    const begun = await world.process(life).rights.erase(ann, code)
    expect(begun.state).toBe('under_way')
    world.pass(60_000)
    const refused = { code: 'frozen' }
    for (const other of [process, world.process()]) {
      const ask = other.rights.eraseAsk(ann)
      await expect(ask).rejects.toMatchObject(refused)
      await expect(other.exported(ann)).rejects.toMatchObject(refused)
      const act = { act: 'signed_in', target: null, details: {} } as const
      await expect(other.acts.record(ann, act)).rejects.toMatchObject(refused)
    }
    await certificateOf(world, begun)
    expect(await world.store.get('keys', ann)).toBeNull()
    expect(await process.connections.list(ann)).toEqual([])
    await furnish(world.process(), ann, { jobs: 1, rows: 1 })
    expect((await world.process().exported(ann)).length).toBeGreaterThan(10)
  })
}

describe('erasing in SQLite', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })
  declareErasing((clock) => {
    const folder = mkdtempSync(join(tmpdir(), 'waybill-rights-'))
    folders.push(folder)
    return {
      store: createSqliteStore(openStoreFile(join(folder, 'waybill.db')), { clock }),
      dump: async () =>
        Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name)))),
    }
  }, 1)
})

describeWithFirestore('erasing in Firestore', (emulator) => {
  let databases = 0
  declareErasing((clock) => {
    databases += 1
    const names = [`rights-${databases}`, `rights-${databases}-keys`] as const
    return {
      store: createFirestoreStore({
        firestore: emulator.open(names[0]),
        keysFirestore: emulator.open(names[1]),
        clock,
      }),
      dump: async () => {
        const dumps = names.map(async (name) =>
          dumpFirestore(emulator.host(), `projects/${emulator.project}/databases/${name}`),
        )
        return Buffer.concat((await Promise.all(dumps)).flat())
      },
    }
  }, 11)
})
