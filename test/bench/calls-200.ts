import { callsBetween, callsMade } from './calls-made.ts'
import { complete, within } from './bench-setting.ts'
import type { Measured, Measurement } from './figure.ts'

/** Calls that a first copy of 200 small files in 5 folders makes, with an account that nothing is known of. */
export const calls200: Measurement = {
  figures: [{ name: 'calls-200', unit: 'calls', reach: { most: 215 } }],
  measure: async () => [await callsFor200(0)],
}

/** The same folder inside a Drive of 100,000 items. */
export const calls200In100k: Measurement = {
  figures: [{ name: 'calls-200-in-100k', unit: 'calls', reach: { most: 225 } }],
  measure: async () => [await callsFor200(100_000)],
}

async function callsFor200(others: number): Promise<Measured> {
  return within({}, async (setting) => {
    const { clouds } = setting
    const { control } = clouds.drive
    const folder = await control.addFolder('Two hundred')
    await control.addTree({ parent: folder, folders: 5, filesPerFolder: 40, fileSize: 4096 })
    if (others > 0)
      await control.addTree({
        folders: others / 100,
        filesPerFolder: 99,
        fileSize: 4096,
        prefix: 'other ',
      })
    const start = await callsMade(clouds)
    await setting.begin()
    const connected = await callsMade(clouds)
    const run = complete(
      await setting.backend().control.copy(setting.request({ kind: 'folder', id: folder })),
    )
    const ended = await callsMade(clouds)
    if (run.job.run.totals.copied !== 205) throw new Error('not everything was copied')
    const { total, byRoute } = callsBetween(connected, ended)
    const connecting = callsBetween(start, connected)
    return {
      value: total,
      details: {
        ...byRoute,
        'when connecting, not counted above': connecting.total,
      },
    }
  })
}
