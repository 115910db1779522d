// A process of its own for the tests of the store: `node store-process.ts <act> <store file>`.
import { holdStore, openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import type { Store } from '../../../backend/store/store.ts'

const [, , act, path = ''] = process.argv
const size = 50

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function write(store: Store, round: number): Promise<void> {
  await store.transact(async (transaction) => {
    for (let at = 0; at < size; at++)
      transaction.put('ledger', {
        key: `k${at}`,
        fields: { job: 'j', todo: 'copy', round },
        body: new Uint8Array(2_000).fill(round % 256),
        expiresAt: null,
      })
  })
}

if (act === 'hold') {
  holdStore(path)
  say('held')
  setInterval(() => undefined, 1_000)
}

// Writes the same round number into 50 documents, round after round, until somebody kills it.
if (act === 'write') {
  const store = createSqliteStore(openStoreFile(path), { clock: Date.now })
  for (let round = 1; ; round++) {
    await write(store, round)
    say(String(round))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

// Lands round 1, then dies within the 25th write of round 2.
if (act === 'die') {
  const db = openStoreFile(path)
  const store = createSqliteStore(db, { clock: Date.now })
  await write(store, 1)
  let writes = 0
  db.function('wrote', () => {
    writes += 1
    if (writes === size / 2) process.kill(process.pid, 'SIGKILL')
    return null
  })
  db.exec('CREATE TEMP TRIGGER dying AFTER UPDATE ON ledger BEGIN SELECT wrote(); END')
  await write(store, 2)
}

// Adds 1 to a counter 100 times.
if (act === 'count') {
  const store = createSqliteStore(openStoreFile(path), { clock: Date.now })
  for (let at = 0; at < 100; at++)
    await store.transact(async (transaction) => {
      const found = await transaction.get('runs', 'counter')
      await new Promise((resolve) => setImmediate(resolve))
      const count = Number(found?.fields['count'] ?? 0) + 1
      transaction.put('runs', { key: 'counter', fields: { count }, body: null, expiresAt: null })
    })
  store.close()
}
