import { describe, expect, it } from '@jest/globals'
import type { Document, Query, Store, Transaction } from '../../backend/store/store.ts'

const refusal = expect.objectContaining({ code: 'internal' })

function named(key: string): Document {
  return { key, fields: {}, body: null, expiresAt: null }
}

/** Declares the tests of everything that a store refuses. */
export function describeLimits(storeOf: () => Store): void {
  const put = async (document: Document): Promise<void> =>
    storeOf().transact(async (transaction) => transaction.put('keys', document))

  describe('limits', () => {
    it.each(['a', '.a', '-', 'a__', 'x'.repeat(200)])('a key may be %j', async (key) => {
      await put(named(key))
      expect(await storeOf().get('keys', key)).toEqual(named(key))
    })

    it.each(['', 'x'.repeat(201), 'a/b', 'a b', 'ä', 'a\n', '.', '..', '__a__'])(
      'a key may not be %j',
      async (key) => {
        await expect(put(named(key))).rejects.toThrow(refusal)
        await expect(storeOf().get('keys', key)).rejects.toThrow(refusal)
        await expect(storeOf().getMany('keys', ['a', key])).rejects.toThrow(refusal)
        const within = async (act: (transaction: Transaction) => unknown) =>
          storeOf().transact(async (transaction) => void (await act(transaction)))
        await expect(within((one) => one.get('keys', key))).rejects.toThrow(refusal)
        await expect(within((one) => one.remove('keys', key))).rejects.toThrow(refusal)
      },
    )

    it('a body may have 900 KiB and no byte more', async () => {
      const body = new Uint8Array(900 * 1024).fill(7)
      await put({ ...named('a'), body })
      const found = await storeOf().get('keys', 'a')
      expect(Buffer.compare(found?.body ?? new Uint8Array(), body)).toBe(0)
      const larger = put({ ...named('b'), body: new Uint8Array(900 * 1024 + 1) })
      await expect(larger).rejects.toThrow(refusal)
      expect(await storeOf().get('keys', 'b')).toBeNull()
    })

    it.each([NaN, Infinity])('a field may not be %d', async (number) => {
      await expect(put({ ...named('a'), fields: { number } })).rejects.toThrow(refusal)
    })

    it.each(['', 'a.b', '__a__', 'a b', '1a', 'x'.repeat(65)])(
      'a field may not be called %j',
      async (name) => {
        await expect(put({ ...named('a'), fields: { [name]: 1 } })).rejects.toThrow(refusal)
      },
    )

    it('a field may have 1,500 bytes and no byte more', async () => {
      const text = 'ä'.repeat(750)
      await put({ ...named('a'), fields: { text } })
      expect((await storeOf().get('keys', 'a'))?.fields).toEqual({ text })
      const longer = put({ ...named('a'), fields: { text: `${text}a` } })
      await expect(longer).rejects.toThrow(refusal)
    })

    it('a document may have 60 fields beside a whole body, and no field more', async () => {
      const fields = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, 'x'.repeat(1_500)]))
      const body = new Uint8Array(900 * 1024)
      await put({ ...named('a'), fields: fields(60), body })
      expect((await storeOf().get('keys', 'a'))?.fields).toEqual(fields(60))
      await expect(put({ ...named('a'), fields: fields(61) })).rejects.toThrow(refusal)
    })

    it.each([0, 253_402_300_799_999])('a document may expire at %d', async (expiresAt) => {
      const within = async () => put({ ...named('a'), expiresAt })
      await expect(within()).resolves.toBeUndefined()
    })

    it.each([1.5, NaN, -1, 253_402_300_800_000])(
      'a document may not expire at %d',
      async (expiresAt) => {
        await expect(put({ ...named('a'), expiresAt })).rejects.toThrow(refusal)
      },
    )

    it('a transaction may write 450 times and not once more', async () => {
      const write = async (count: number, prefix: string): Promise<void> =>
        storeOf().transact(async (transaction) => {
          transaction.remove('keys', 'absent')
          for (let at = 1; at < count; at++) transaction.put('keys', named(`${prefix}${at}`))
        })
      await write(450, 'a')
      expect(await storeOf().get('keys', 'a449')).not.toBeNull()
      await expect(write(451, 'b')).rejects.toThrow(refusal)
      expect(await storeOf().get('keys', 'b1')).toBeNull()
    })

    it('a transaction may write 3.5 MiB of bodies and no byte more', async () => {
      const body = new Uint8Array(512 * 1024)
      const write = async (last: number, prefix: string): Promise<void> =>
        storeOf().transact(async (transaction) => {
          for (let at = 0; at < 6; at++)
            transaction.put('ledger', { ...named(`${prefix}${at}`), body })
          transaction.put('ledger', { ...named(`${prefix}last`), body: new Uint8Array(last) })
        })
      await write(512 * 1024, 'a')
      expect(await storeOf().get('ledger', 'alast')).not.toBeNull()
      await expect(write(512 * 1024 + 1, 'b')).rejects.toThrow(refusal)
      expect(await storeOf().get('ledger', 'b0')).toBeNull()
    })

    it('a transaction touches keys or other collections, never both', async () => {
      const both = async (act: (transaction: Transaction) => Promise<void>) =>
        expect(storeOf().transact(act)).rejects.toThrow(refusal)
      await both(async (one) => {
        await one.get('keys', 'a')
        await one.get('jobs', 'a')
      })
      await both(async (one) => {
        await one.get('jobs', 'a')
        one.put('keys', named('a'))
      })
      await both(async (one) => {
        one.remove('keys', 'a')
        one.put('jobs', named('a'))
      })
      expect(await storeOf().get('keys', 'a')).toBeNull()
    })

    it('a transaction may not read after it has written', async () => {
      const reading = storeOf().transact(async (transaction) => {
        transaction.put('keys', named('a'))
        await transaction.get('keys', 'a')
      })
      await expect(reading).rejects.toThrow(refusal)
      expect(await storeOf().get('keys', 'a')).toBeNull()
    })

    it('a transaction takes nothing after its end', async () => {
      const late = await storeOf().transact(async (transaction) => transaction)
      expect(() => late.put('keys', named('a'))).toThrow(refusal)
      expect(() => late.remove('keys', 'a')).toThrow(refusal)
      await expect(late.get('keys', 'a')).rejects.toThrow(refusal)
    })

    it('at most 1,000 documents may be asked for at once', async () => {
      const keys = Array.from({ length: 1_001 }, (_, at) => `k${at}`)
      await expect(storeOf().getMany('keys', keys)).rejects.toThrow(refusal)
    })

    const values = Array.from({ length: 31 }, (_, at) => at)
    it.each<readonly [string, Query]>([
      ['without fields', { collection: 'jobs', where: {}, limit: 1 }],
      ['by a field without an index', { collection: 'jobs', where: { state: 'x' }, limit: 1 }],
      ['by half of an index', { collection: 'ledger', where: { todo: 'x' }, limit: 1 }],
      [
        'by more than an index',
        { collection: 'ledger', where: { job: 'x', todo: 'x', slot: 'x' }, limit: 1 },
      ],
      ['by an index of another collection', { collection: 'keys', where: { user: 'x' }, limit: 1 }],
      ['of any of 31 values', { collection: 'jobs', where: { user: values }, limit: 1 }],
      [
        'of values for two fields',
        { collection: 'ledger', where: { job: ['x'], todo: ['x'] }, limit: 1 },
      ],
      ['of no documents', { collection: 'jobs', where: { user: 'x' }, limit: 0 }],
      ['of 1,001 documents', { collection: 'jobs', where: { user: 'x' }, limit: 1_001 }],
      [
        'after what is no key',
        { collection: 'jobs', where: { user: 'x' }, after: 'a/b', limit: 1 },
      ],
      [
        'before what is no key',
        { collection: 'jobs', where: { user: 'x' }, before: 'a/b', limit: 1 },
      ],
      ['of half a document', { collection: 'jobs', where: { user: 'x' }, limit: 1.5 }],
    ])('a list %s is refused', async (_, query) => {
      await expect(storeOf().list(query)).rejects.toThrow(refusal)
    })

    it('a list without fields ends before a key, and is refused without one', async () => {
      const keys = ['a', 'job-1', 'job.1', 'job.2', 'job0', 'z']
      await storeOf().transact(async (transaction) => {
        for (const [at, key] of keys.entries())
          transaction.put('runs', { ...named(key), fields: { job: at % 2 ? 'x' : 'y' } })
      })
      const between = { collection: 'runs', after: 'job', before: 'job0' } as const
      const list = async (query: Pick<Query, 'where' | 'limit'> & { readonly after?: string }) =>
        (await storeOf().list({ ...between, ...query })).map(({ key }) => key)
      expect(await list({ where: {}, limit: 9 })).toEqual(['job-1', 'job.1', 'job.2'])
      expect(await list({ where: { job: 'x' }, limit: 9 })).toEqual(['job-1', 'job.2'])
      expect(await list({ where: {}, after: 'job-1', limit: 1 })).toEqual(['job.1'])
      const endless = { collection: 'runs', where: {}, after: 'job', limit: 9 } as const
      await expect(storeOf().list(endless)).rejects.toThrow(refusal)
    })

    it('a list of 1,000 documents and of any of 30 values is not refused', async () => {
      const where = { user: values.slice(1) }
      expect(await storeOf().list({ collection: 'jobs', where, limit: 1_000 })).toEqual([])
    })
  })
}
