import { callsBetween, callsMade } from './calls-made.ts'
import { complete, within } from './bench-setting.ts'
import type { Measurement } from './figure.ts'

/** Calls of the next run after a folder of 40 files was renamed. */
export const callsFolderRenamed: Measurement = {
  figures: [{ name: 'calls-folder-renamed', unit: 'calls', reach: { most: 4 } }],
  measure: async () =>
    within({}, async (setting) => {
      const { clouds } = setting
      const { control } = clouds.drive
      const top = await control.addFolder('Top')
      const { folders } = await control.addTree({
        parent: top,
        folders: 5,
        filesPerFolder: 40,
        fileSize: 4096,
      })
      await setting.begin()
      const backend = setting.backend().control
      const first = complete(await backend.copy(setting.request({ kind: 'folder', id: top })))
      await control.update(folders[2] ?? '', { name: 'Another name' })
      const before = await callsMade(clouds)
      const { totals } = complete(await backend.again(first.job.id)).job.run
      const { total, byRoute } = callsBetween(before, await callsMade(clouds))
      const dump = await clouds.dropbox.control.dump()
      const moved = Object.keys(dump).filter((path) => path.startsWith('Backup/Another name/'))
      if (moved.length !== 40 || totals.renamed !== 1)
        throw new Error('the folder has its old name at the destination')
      return [{ value: total, details: byRoute }]
    }),
}
