import { setTimeout as sleep } from 'node:timers/promises'
import { complete, within } from './bench-setting.ts'
import type { Setting } from './bench-setting.ts'
import type { Measurement } from './figure.ts'

const mib = 1024 * 1024
const size = 200 * mib

/** Bytes that are sent a second time when the backend is killed in the middle of a file of 200 MiB. */
export const resent200Mib: Measurement = {
  figures: [{ name: 'resent-200mib', unit: 'MiB', reach: { most: 8 } }],
  measure: async () =>
    within({}, async (setting) => {
      const { drive, dropbox } = setting.clouds
      const folder = await drive.control.addFolder('Large')
      await drive.control.addFile(folder, 'large.bin', { pattern: 'killed', size })
      await setting.begin()
      const job = await setting
        .backend()
        .control.create(setting.request({ kind: 'folder', id: folder }))
      while ((await sent(setting)) < size / 2) await sleep(2)
      await setting.replace()
      const before = await sent(setting)
      await setting.goOn()
      complete(await setting.backend().control.settled(job))
      const [all, read] = [await sent(setting), await downloaded(setting)]
      const [source, copies] = [await drive.control.dump(), await dropbox.control.dump()]
      if (source['Large/large.bin']?.sha256 !== copies['Backup/large.bin']?.sha256)
        throw new Error('the copy is not what the source holds')
      return [
        {
          value: (all - size) / mib,
          details: {
            'sent before the kill, MiB': before / mib,
            'sent in all, MiB': all / mib,
            'downloaded twice, MiB': (read - size) / mib,
          },
        },
      ]
    }),
}

/** Bytes that Dropbox has received as content. */
async function sent({ clouds }: Setting): Promise<number> {
  const { byRoute } = await clouds.dropbox.control.callsSnapshot()
  return Object.entries(byRoute).reduce(
    (sum, [route, { bytesIn }]) =>
      /\/(start|append_v2|append_batch)$/.test(route) ? sum + bytesIn : sum,
    0,
  )
}

async function downloaded({ clouds }: Setting): Promise<number> {
  const { byRoute } = await clouds.drive.control.callsSnapshot()
  return byRoute['drive.files.download']?.bytesOut ?? 0
}
