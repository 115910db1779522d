import { createFirestoreStore } from '../../../backend/store/firestore.ts'
import { storeBench } from '../../contract/store-bench.ts'
import { describeStore } from '../../contract/store.ts'
import { describeWithFirestore } from '../../platform/firestore.ts'
import { startFirestoreProxy } from '../../platform/firestore-proxy.ts'

describeWithFirestore('on Google’s emulator', (emulator) => {
  let benches = 0
  describeStore('Firestore', async () => {
    benches += 1
    const database = `bench-${benches}`
    const openAt = (clock: () => number, host?: string) =>
      createFirestoreStore({
        firestore: emulator.open(database, host),
        keysFirestore: emulator.open(`${database}-keys`, host),
        clock,
      })
    return storeBench(openAt, async (clock) => {
      const nobody = await startFirestoreProxy(emulator.host())
      await nobody.close()
      return openAt(clock, nobody.host)
    })
  })
})
