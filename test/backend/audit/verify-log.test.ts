import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { verifyLog } from '../../../backend/audit/verify-log.ts'
import type { Known } from '../../../backend/audit/verify-log.ts'
import { signNote } from '../../../backend/audit/signed-note.ts'
import { headText } from '../../../backend/audit/tree-head.ts'
import { createTree, leafHash } from '../../../backend/records/merkle-tree.ts'
import { auditLineText } from '../../../shared/audit.ts'
import type { AuditEntry } from '../../../shared/audit.ts'
import { auditEntry } from '../../../shared/audit-schema.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'
import { logsIn, newSigner } from './logs.ts'
import type { Logs } from './logs.ts'

let records: KeptRecords
let logs: Logs
/** A log of 1,000 acts; its entries are cut to logs of any size below. */
let entries: readonly AuditEntry[]
const origin = 'waybill.example/audit/tenant'
const signer = newSigner()
let key: string

beforeAll(async () => {
  records = keepRecords()
  logs = logsIn(records.store)
  const leaves = await Promise.all(
    Array.from({ length: 1_000 }, async (_, n) =>
      logs.acts.leaf('ann', {
        act: n % 2 === 0 ? 'job_paused' : 'job_resumed',
        target: `job-${n % 7}`,
        details: { job: `job-${n % 7}`, n },
      }),
    ),
  )
  for (let at = 0; at < leaves.length; at += 250)
    await records.store.transact(async (transaction) => {
      for (const leaf of leaves.slice(at, at + 250)) transaction.put('audit', leaf)
    })
  await logs.sequence()
  const texts = await logs.exported('ann')
  entries = texts.slice(1, -1).map((text) => auditEntry.parse(JSON.parse(text)))
  ;({ key } = await logOf(1))
}, 60_000)
afterAll(() => records.close())

/** The first acts as an export of them, with a head after each of `sizes` and at the end. */
async function logOf(size: number, sizes: readonly number[] = []) {
  const tree = createTree()
  const texts: string[] = []
  let keyText = ''
  for (const [index, entry] of entries.slice(0, size).entries()) {
    texts.push(JSON.stringify(entry))
    tree.add(auditLineText(entry.line))
    if (index + 1 !== size && !sizes.includes(index + 1)) continue
    const head = { origin, size: index + 1, root: tree.root() }
    const { note, key: signed } = await signNote(headText(head), origin, signer)
    texts.push(JSON.stringify({ head: note }))
    const encoded = Buffer.concat([Uint8Array.of(1), signed.publicKey]).toString('base64')
    keyText = `${origin}+${signed.id}+${encoded}`
  }
  return { texts, key: keyText }
}

async function isWhole(texts: readonly string[], known: Known = { keys: [key] }): Promise<boolean> {
  return verifyLog(texts, known).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'audit_invalid') return false
      throw error
    },
  )
}

const saying = (message: string) => expect.objectContaining({ code: 'audit_invalid', message })

type Edit = (entry: AuditEntry) => AuditEntry
const edits: Readonly<Record<string, Edit>> = {
  time: ({ line, ...rest }) => ({ line: { ...line, at: '2020-01-01T00:00:00.000Z' }, ...rest }),
  actor: ({ line, ...rest }) => ({ line: { ...line, actor: 'somebody' }, ...rest }),
  act: ({ line, ...rest }) => ({ line: { ...line, act: 'job_cancelled' }, ...rest }),
  target: ({ line, ...rest }) => ({ line: { ...line, target: null }, ...rest }),
  result: ({ line, ...rest }) => ({ line: { ...line, result: 'refused' }, ...rest }),
  number: ({ line, ...rest }) => ({ line: { ...line, number: line.number + 1 }, ...rest }),
  prev: ({ line, ...rest }) => ({ line: { ...line, prev: 'e'.repeat(64) }, ...rest }),
  'hash of what is sealed': ({ line, ...rest }) => ({
    ...rest,
    line: { ...line, sealedHash: 'e'.repeat(64) },
    sealed: null,
  }),
  'hash of the details': ({ line, ...rest }) => ({
    ...rest,
    line: { ...line, detailsHash: 'e'.repeat(64) },
    details: null,
  }),
  'sealed details': ({ sealed, ...rest }) => ({ ...rest, sealed: `${sealed?.slice(0, -4)}AAAA` }),
  details: ({ details, ...rest }) => ({ ...rest, details: { ...details, job: 'another' } }),
}

const small = Array.from({ length: 40 }, (_, n) => n + 1)
const large = [63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 777, 999, 1_000]

/** Every place in a small log; in a large one the borders of subtrees, and some between. */
function placesIn(size: number): readonly number[] {
  if (size <= 65) return Array.from({ length: size }, (_, n) => n)
  const places = [0, 1, 31, 63, 64, 127, 128, 255, 256, size >> 1, size - 2, size - 1]
  return [...new Set(places)].filter((place) => place < size)
}

describe('an exported log that is tampered with', () => {
  it.each(Object.entries(edits))(
    'shows that the %s of any act was edited',
    async (_what, edit) => {
      for (const size of [1, 2, 3, 7, 8, 33, 64, 257, 1_000]) {
        const { texts } = await logOf(size)
        for (const place of placesIn(size)) {
          const entry = entries[place]
          if (entry === undefined) throw new Error('there is an entry')
          expect(await isWhole(texts.with(place, JSON.stringify(edit(entry))))).toBe(false)
        }
      }
    },
    60_000,
  )

  it('shows every act that is gone, put in, doubled or exchanged with another', async () => {
    for (const size of [...small, ...large]) {
      const { texts } = await logOf(size)
      expect(await isWhole(texts)).toBe(true)
      for (const place of placesIn(size)) {
        const text = texts[place] ?? ''
        const next = texts[place + 1] ?? ''
        const tampered = [texts.toSpliced(place, 1), texts.toSpliced(place, 0, text)]
        if (place + 1 < size) tampered.push(texts.with(place, next).with(place + 1, text))
        for (const each of tampered) expect(await isWhole(each)).toBe(false)
      }
    }
  }, 60_000)

  it('shows every cut below its head, and acts that no head covers', async () => {
    for (const size of [...small, ...large]) {
      const { texts } = await logOf(size)
      const head = texts.at(-1) ?? ''
      for (const place of placesIn(size)) {
        expect(await isWhole([...texts.slice(0, place), head])).toBe(false)
        expect(await isWhole(texts.slice(0, place + 1))).toBe(false)
      }
    }
  }, 60_000)

  it('shows a history written anew with every hash put right, as its head cannot be', async () => {
    const [first, ...rest] = entries.slice(0, 20)
    if (first === undefined) throw new Error('there is an entry')
    let prev: string | null = null
    const forged = [{ ...first, line: { ...first.line, actor: 'somebody' } }, ...rest].map(
      (entry) => {
        const line = { ...entry.line, prev }
        prev = leafHash(auditLineText(line))
        return { ...entry, line }
      },
    )
    const tree = createTree()
    for (const { line } of forged) tree.add(auditLineText(line))
    const lines = forged.map((entry) => JSON.stringify(entry))
    const { texts } = await logOf(20)
    await expect(verifyLog([...lines, texts.at(-1) ?? ''], { keys: [key] })).rejects.toEqual(
      saying('Line 21: the root over the acts before the head is not the one that was signed.'),
    )
    const head = headText({ origin, size: 20, root: tree.root() })
    const { note } = await signNote(head, origin, newSigner())
    await expect(
      verifyLog([...lines, JSON.stringify({ head: note })], { keys: [key] }),
    ).rejects.toEqual(
      saying('Line 21: the head is signed by none of the keys it is verified with.'),
    )
  })

  it('shows any change of a head', async () => {
    const { texts } = await logOf(5, [2])
    for (const place of [2, 6]) {
      const { head }: { head: string } = JSON.parse(texts[place] ?? '')
      for (let at = 0; at < head.length; at += 1) {
        const changed = head.slice(0, at) + (head[at] === 'A' ? 'B' : 'A') + head.slice(at + 1)
        expect(await isWhole(texts.with(place, JSON.stringify({ head: changed })))).toBe(false)
      }
    }
    expect(await isWhole(texts.toSpliced(3, 0, texts[2] ?? ''))).toBe(false)
    expect(await isWhole([texts[2] ?? '', ...texts.toSpliced(2, 1)])).toBe(false)
  })

  it('shows what was cut off together with its heads only against an earlier head', async () => {
    const { texts } = await logOf(9, [4])
    const headAt = (place: number): string => {
      const { head }: { head: string } = JSON.parse(texts[place] ?? '')
      return head
    }
    const known = (place: number): Known => ({ keys: [key], head: headAt(place) })
    const cut = texts.slice(0, 5)
    expect(await isWhole(cut)).toBe(true)
    await expect(verifyLog(cut, known(10))).rejects.toEqual(
      saying('The log has 4 acts, but had 9 when the head to compare with was signed.'),
    )
    expect(await isWhole(texts, known(4))).toBe(true)
    expect(await isWhole(texts, known(10))).toBe(true)
  })
})

describe('verifying', () => {
  it('says at which line what is wrong', async () => {
    const { texts } = await logOf(6, [3])
    const said = async (changed: readonly string[]) =>
      verifyLog(changed, { keys: [key] }).then(
        () => 'whole',
        (error: unknown) => (error instanceof Error ? error.message : ''),
      )
    const change = (place: number, edit: Edit): readonly string[] =>
      texts.with(place, JSON.stringify(edit(auditEntry.parse(JSON.parse(texts[place] ?? '')))))
    expect(await said(texts)).toBe('whole')
    expect(await said(texts.with(1, '{'))).toBe('Line 2: it is not JSON.')
    expect(await said(texts.with(1, '{}'))).toBe('Line 2: it is not a line of an audit log.')
    expect(await said(texts.toSpliced(1, 1))).toBe(
      'Line 2: the act has the number 2 in the place of 1.',
    )
    expect(await said(change(1, edits['actor'] ?? ((same) => same)))).toBe(
      'Line 3: act 2 does not follow the one before it as that stands here.',
    )
    expect(await said(change(2, edits['details'] ?? ((same) => same)))).toBe(
      'Line 3: the details of act 2 are not those that were written.',
    )
    expect(await said(change(5, edits['sealed details'] ?? ((same) => same)))).toBe(
      'Line 6: the sealed details of act 4 are not those that were written.',
    )
    expect(await said(texts.toSpliced(6, 1))).toBe(
      'Line 7: the head is of 6 acts, but 5 stand before it.',
    )
    expect(await said(texts.slice(0, -1))).toBe(
      'Line 7: the file ends with 3 acts that no head covers.',
    )
    expect(await said([])).toBe('Line 0: no signed head is in the file.')
  })

  it('believes the keys in the file only without any from elsewhere', async () => {
    const { texts } = await logOf(3)
    const withKey = [JSON.stringify({ key }), ...texts]
    expect(await isWhole(withKey, {})).toBe(true)
    expect(await isWhole(texts, {})).toBe(false)
    const { key: other } = await signNote('x\n', origin, newSigner())
    const encoded = Buffer.concat([Uint8Array.of(1), other.publicKey]).toString('base64')
    expect(await isWhole(withKey, { keys: [`${origin}+${other.id}+${encoded}`] })).toBe(false)
    await expect(verifyLog(withKey, { keys: ['nonsense'] })).rejects.toMatchObject({
      code: 'invalid_request',
    })
    await expect(verifyLog(withKey, { keys: [key], head: 'x' })).rejects.toMatchObject({
      code: 'invalid_request',
    })
    // A key that stands behind a head cannot be meant for it.
    expect(await isWhole([...texts, JSON.stringify({ key })], { keys: [key] })).toBe(false)
  })

  it('does not take a head of another log, though the same key signed it', async () => {
    const { texts } = await logOf(3)
    const tree = createTree()
    for (const { line } of entries.slice(0, 3)) tree.add(auditLineText(line))
    const text = headText({ origin: `${origin}2`, size: 3, root: tree.root() })
    const { note } = await signNote(text, origin, signer)
    expect(await isWhole(texts.with(3, JSON.stringify({ head: note })))).toBe(false)
  })
})
