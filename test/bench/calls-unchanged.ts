import { callsBetween, callsMade } from './calls-made.ts'
import type { Selection } from '../../shared/job.ts'
import { complete, within } from './bench-setting.ts'
import type { Setting } from './bench-setting.ts'
import type { Measurement } from './figure.ts'

const folders = 10_000
const drives = 20

/** Calls of a run in which nothing has changed, over 10,000 folders: the worse of a folder and the whole drive. */
export const callsUnchanged: Measurement = {
  figures: [{ name: 'calls-unchanged', unit: 'calls', reach: { most: 3 } }],
  measure: async () => [
    await within({}, async (setting) => {
      const top = await setting.clouds.drive.control.addFolder('Many')
      await addFolders(setting, top, folders)
      await setting.begin()
      const folder = await unchanged(setting, { kind: 'folder', id: top })
      const drive = await unchanged(setting, { kind: 'drive', sharedDrives: true }, '/Drive')
      return {
        value: Math.max(folder.total, drive.total),
        details: { 'of a folder': folder.total, 'of the whole drive': drive.total, folders },
      }
    }),
  ],
}

/** The same with the whole drive and 20 shared drives, among which the folders are spread. */
export const callsUnchanged20Drives: Measurement = {
  figures: [{ name: 'calls-unchanged-20-drives', unit: 'calls', reach: { most: 23 } }],
  measure: async () => [
    await within({}, async (setting) => {
      const { control } = setting.clouds.drive
      for (let at = 0; at < drives; at += 1)
        await addFolders(setting, await control.addSharedDrive(`Team ${at}`), folders / drives)
      await setting.begin()
      const { total, byRoute } = await unchanged(setting, { kind: 'drive', sharedDrives: true })
      return { value: total, details: byRoute }
    }),
  ],
}

async function addFolders(setting: Setting, parent: string, count: number): Promise<void> {
  const plan = { parent, folders: count, filesPerFolder: 0, fileSize: 0, depth: 10 }
  await setting.clouds.drive.control.addTree(plan)
}

/** Copies, runs the job again, and counts the calls of the second run. */
async function unchanged(setting: Setting, selection: Selection, to?: string) {
  const backend = setting.backend().control
  const first = complete(await backend.copy(setting.request(selection, to)))
  if (first.job.run.totals.copied < folders) throw new Error('not all folders were made')
  const before = await callsMade(setting.clouds)
  complete(await backend.again(first.job.id))
  return callsBetween(before, await callsMade(setting.clouds))
}
