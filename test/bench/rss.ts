import { complete, within } from './bench-setting.ts'
import type { Setting } from './bench-setting.ts'
import type { Measured, Measurement } from './figure.ts'
import { forgetPeak, memoryOf } from './process-memory.ts'

const mib = 1024 * 1024
const reach = { most: 150 } as const

/** What a file of 1 GiB costs in memory. */
export const rss1Gib: Measurement = {
  figures: [{ name: 'rss-1gib', unit: 'MiB', reach }],
  measure: async () => [
    await peakOverStart(async ({ clouds }) => {
      const { control } = clouds.drive
      const folder = await control.addFolder('Large')
      await control.addFile(folder, 'large.bin', { pattern: 'large', size: 1024 * mib })
      return folder
    }),
  ],
}

/** What 100,000 items of one byte cost in memory. */
export const rss100k: Measurement = {
  figures: [{ name: 'rss-100k', unit: 'MiB', reach }],
  measure: async () => [
    await peakOverStart(async ({ clouds }) => {
      const { control } = clouds.drive
      const folder = await control.addFolder('Many')
      const plan = { parent: folder, folders: 500, filesPerFolder: 199, fileSize: 1 }
      await control.addTree(plan)
      return folder
    }),
  ],
}

/**
 * Copies a folder and measures how much more memory the backend's process held at most (VmHWM) than before its wallet
 * was opened (VmRSS). Opening takes 256 MiB for a second, in a process of its own.
 */
async function peakOverStart(prepare: (setting: Setting) => Promise<string>): Promise<Measured> {
  return within({ workFactor: null }, async (setting) => {
    const folder = await prepare(setting)
    const { pid, control } = setting.backend()
    const { now: start } = await memoryOf(pid)
    await setting.begin()
    const opened = await memoryOf(pid)
    await forgetPeak(pid)
    const run = complete(await control.copy(setting.request({ kind: 'folder', id: folder })))
    const ended = await memoryOf(pid)
    return {
      value: (ended.peak - start) / mib,
      details: {
        'items copied': run.job.run.totals.copied,
        'VmRSS before the wallet was opened, MiB': start / mib,
        'VmHWM while the wallet was opened, MiB': opened.peak / mib,
        'VmRSS before the copy, MiB': opened.now / mib,
        'VmHWM of the copy, MiB': ended.peak / mib,
        seconds: run.endedAfter / 1000,
      },
    }
  })
}
