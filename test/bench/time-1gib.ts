import { namesToCompare } from '../../backend/clouds/digest.ts'
import { pipeBare } from './bare-pipe.ts'
import { complete, within } from './bench-setting.ts'
import type { Watched } from './backend-worker.ts'
import type { Measurement } from './figure.ts'

const mib = 1024 * 1024
const size = 1024 * mib
/** Each is timed this often, one after the other, and the fastest time counts: others use this machine too. */
const times = 4

/** The checksums that a copy asks the Drive for: which of them is computed depends on no value. */
export const driveHashes = { md5: '', sha256: '' }

/** How long the copy step of a file of 1 GiB takes, against a bare pipe between the same clouds with the same digests. */
export const time1Gib: Measurement = {
  figures: [{ name: 'time-1gib', unit: '× bare', reach: { most: 1.25 } }],
  measure: async () =>
    within({}, async (setting) => {
      const { control } = setting.clouds.drive
      await setting.begin()
      const bare: number[] = []
      const ours: number[] = []
      const names = namesToCompare(driveHashes, ['contentHash'], false)
      for (let at = 0; at < times; at += 1) {
        const folder = await control.addFolder(`Large ${at}`)
        const id = await control.addFile(folder, 'large.bin', { pattern: `large ${at}`, size })
        // The simulated Drive computes checksums when they are first asked for: not in anybody's time.
        await setting.clouds.drive.control.dump()
        const pipe = async () =>
          bare.push(await pipeBare(setting.clouds, { id, size }, names, `/bare ${at}`))
        const copy = async () => {
          const request = setting.request({ kind: 'folder', id: folder }, `/Backup ${at}`)
          ours.push(copyStep(complete(await setting.backend().control.copy(request))))
        }
        // In turn: whoever comes second works while the system still writes the first one's bytes to the disk.
        for (const act of at % 2 === 0 ? [pipe, copy] : [copy, pipe]) await act()
      }
      const [fastestBare, fastest] = [Math.min(...bare), Math.min(...ours)]
      return [
        {
          value: fastest / fastestBare,
          details: {
            'bare pipe, MiB/s': size / mib / (fastestBare / 1000),
            'copy step, MiB/s': size / mib / (fastest / 1000),
            'digests of both': names.join(' '),
          },
        },
      ]
    }),
}

/** @returns milliseconds from the beginning of the copy phase to its end. */
export function copyStep({ began, endedAfter }: Watched): number {
  if (began.copy === undefined) throw new Error('the copy phase was too short to be seen')
  return (began.close ?? endedAfter) - began.copy
}
