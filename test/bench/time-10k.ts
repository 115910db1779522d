import { namesToCompare } from '../../backend/clouds/digest.ts'
import { bodiesPerBatch } from '../../backend/clouds/dropbox/sessions.ts'
import { loopBare } from './bare-loop.ts'
import type { LoopTime } from './bare-loop.ts'
import type { Watched } from './backend-worker.ts'
import { complete, within } from './bench-setting.ts'
import type { Measurement } from './figure.ts'
import { copyStep, driveHashes } from './time-1gib.ts'

const folders = 100
const filesPerFolder = 100
const files = folders * filesPerFolder
/** As many as the copy step has. */
const loop = {
  names: namesToCompare(driveHashes, ['contentHash'], true),
  downloads: 16,
  bodies: bodiesPerBatch,
  appends: 2,
  commits: 400,
}
/** Each is timed this often, one after the other, and the fastest time counts: others use this machine too. */
const times = 3

/** How long 10,000 files of 4 KiB take, the whole run, against a bare loop of the same calls. */
export const time10k: Measurement = {
  figures: [{ name: 'time-10k', unit: '× bare', reach: { most: 1.5 } }],
  measure: async () =>
    within({}, async (setting) => {
      const { clouds } = setting
      const { control } = clouds.drive
      await setting.begin()
      const top = await control.addFolder('Ten thousand')
      const plan = { parent: top, folders, filesPerFolder, fileSize: 4096 }
      await control.addTree(plan)
      // The simulated Drive computes checksums when they are first asked for: not in anybody's time.
      await loopBare(clouds, { ...loop, top, to: '/first' })
      const bare: LoopTime[] = []
      const ours: Watched[] = []
      for (let at = 0; at < times; at += 1) {
        bare.push(await loopBare(clouds, { ...loop, top, to: `/bare ${at}` }))
        const request = setting.request({ kind: 'folder', id: top }, `/Backup ${at}`)
        ours.push(complete(await setting.backend().control.copy(request)))
      }
      const all = Math.min(...bare.map((each) => each.all))
      const copying = Math.min(...bare.map((each) => each.copying))
      const run = Math.min(...ours.map((each) => each.endedAfter))
      const copied = Math.min(...ours.map(copyStep))
      return [
        {
          value: run / all,
          details: {
            'bare loop, files/s': files / (all / 1000),
            'whole run, files/s': files / (run / 1000),
            'copy phase alone, × bare': copied / copying,
            'bare loop, seconds': all / 1000,
            'whole run, seconds': run / 1000,
            'its copy phase, seconds': copied / 1000,
          },
        },
      ]
    }),
}
