import { setTimeout as sleep } from 'node:timers/promises'
import { findEmulator, startEmulator } from '../platform/firestore-emulator.ts'
import { startFirestoreProxy } from '../platform/firestore-proxy.ts'
import { complete, within } from './bench-setting.ts'
import type { Setting } from './bench-setting.ts'
import type { Measurement } from './figure.ts'

const folders = 50
const filesPerFolder = 20

/**
 * What Google Cloud is asked for 1,000 files in 50 folders, and for the same job again when nothing has changed: Firestore
 * as it bills, counted on the wire before Google's emulator. A query that finds nothing is a read.
 */
export const platformOperations: Measurement = {
  figures: [
    { name: 'firestore-writes-1000', unit: 'writes', reach: { most: 1_150 } },
    { name: 'firestore-reads-1000', unit: 'reads', reach: { most: 60 } },
    { name: 'tasks-1000', unit: 'tasks', reach: { most: 5 } },
    { name: 'kms-1000', unit: 'calls', reach: { most: 2 } },
    { name: 'firestore-writes-unchanged', unit: 'writes', reach: { most: 8 } },
    { name: 'firestore-reads-unchanged', unit: 'reads', reach: { most: 12 } },
    { name: 'tasks-unchanged', unit: 'tasks', reach: { most: 2 } },
  ],
  measure: async () => {
    const found = findEmulator(process.env)
    if (found.kind === 'none') throw new Error(found.why)
    const emulator = await startEmulator(found)
    const proxy = await startFirestoreProxy(emulator.host)
    try {
      const firestore = { host: () => proxy.host, project: 'waybill-bench' }
      return await within({ firestore }, async (setting) => {
        const { control } = setting.clouds.drive
        const top = await control.addFolder('A thousand')
        await control.addTree({ parent: top, folders, filesPerFolder, fileSize: 1_000 })
        await setting.begin()
        const count = () => ({
          ...proxy.billed(),
          tasks: setting.googleCloud?.tasks.calls.snapshot().calls ?? NaN,
          kms: setting.googleCloud?.kms.calls() ?? NaN,
        })
        const start = count()
        const backend = setting.backend().control
        const job = await backend.create(setting.request({ kind: 'folder', id: top }))
        await untilOver(setting)
        const first = count()
        // Whoever asks how it went costs reads that are no part of it.
        complete(await backend.settled(job))
        const between = count()
        await backend.begin(job)
        await untilOver(setting)
        const second = count()
        const again = complete(await backend.settled(job))
        if (again.job.run.unchanged < folders * filesPerFolder) throw new Error('something changed')
        const details = { deletes: first.deletes - start.deletes, files: folders * filesPerFolder }
        return [
          { value: first.writes - start.writes, details },
          { value: first.reads - start.reads, details },
          { value: first.tasks - start.tasks, details: {} },
          { value: first.kms, details: { 'of it before the copy': start.kms } },
          { value: second.writes - between.writes, details: {} },
          { value: second.reads - between.reads, details: {} },
          { value: second.tasks - between.tasks, details: {} },
        ]
      })
    } finally {
      await proxy.close()
      await emulator.stop()
    }
  },
}

/** Waits until the queue has nothing more to deliver, without asking Waybill. */
async function untilOver({ googleCloud }: Setting): Promise<void> {
  if (googleCloud === null) throw new Error('there is no queue to look at')
  while (googleCloud.tasks.queue(googleCloud.queue).tasks.size > 0) await sleep(20)
}
