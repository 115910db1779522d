import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forkClouds } from '../clouds/fork.ts'
import { settingsFor } from '../clouds/settings-for.ts'
import type { ForkedClouds } from '../clouds/fork.ts'
import { createWaybillCommand } from './waybill-command.ts'
import type { WaybillCommand } from './waybill-command.ts'

/** Everything a demo happens on: two clouds in a process of their own, a temporary folder, and the command line. */
export interface Stage {
  readonly clouds: ForkedClouds
  /** For the store, the wallet and the receipts. */
  readonly folder: string
  readonly waybill: WaybillCommand
  /** Ends every process and removes the folder. */
  close(): Promise<void>
}

/** @param latencyMs milliseconds that each call to a cloud takes at least */
export async function openStage(latencyMs: number): Promise<Stage> {
  const clouds = await forkClouds({ latencyMs })
  const folder = mkdtempSync(join(tmpdir(), 'waybill-demo-'))
  const waybill = createWaybillCommand({
    settings: settingsFor(clouds, folder),
    folder,
    passphrase: randomBytes(24).toString('base64url'),
  })
  const closeAll = async (): Promise<void> => {
    await waybill.close()
    await clouds.close()
    rmSync(folder, { recursive: true, force: true })
  }
  let closing: Promise<void> | null = null
  return { clouds, folder, waybill, close: async () => (closing ??= closeAll()) }
}
