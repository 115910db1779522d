import { createFirestoreStore } from '../../../backend/store/firestore.ts'
import type { Store } from '../../../backend/store/store.ts'
import { describeStore } from '../../contract/store.ts'
import { describeWithFirestore } from '../../platform/firestore.ts'
import { startFirestoreProxy } from '../../platform/firestore-proxy.ts'

describeWithFirestore('on Google’s emulator', (emulator) => {
  let benches = 0
  describeStore('Firestore', async () => {
    let now = 1_700_000_000_000
    benches += 1
    const database = `bench-${benches}`
    const stores: Store[] = []
    const openOne = (): Store => {
      const store = createFirestoreStore({
        firestore: emulator.open(database),
        keysFirestore: emulator.open(`${database}-keys`),
        clock: () => now,
      })
      stores.push(store)
      return store
    }
    return {
      store: openOne(),
      another: async () => openOne(),
      cutOff: async () => {
        const nobody = await startFirestoreProxy(emulator.host())
        await nobody.close()
        return createFirestoreStore({
          firestore: emulator.open(database, nobody.host),
          keysFirestore: emulator.open(`${database}-keys`, nobody.host),
          clock: () => now,
        })
      },
      now: () => now,
      pass: (ms) => {
        now += ms
      },
      close: async () => {
        for (const store of stores) store.close()
      },
    }
  })
})
