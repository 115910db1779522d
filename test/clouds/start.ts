import { startDrive } from './drive/start.ts'
import type { DriveOptions, SimulatedDrive } from './drive/start.ts'
import { startDropbox } from './dropbox/start.ts'
import type { DropboxOptions, SimulatedDropbox } from './dropbox/start.ts'
import { startIssuer } from './issuer.ts'
import type { Issuer } from './issuer.ts'

/** What the clouds are started with. */
export interface CloudsOptions {
  readonly drive?: DriveOptions
  readonly dropbox?: DropboxOptions
  /** A real folder whose files are in the Drive from the start. */
  readonly seedFolder?: string
}

/** All simulated clouds in this process. */
export interface Clouds {
  readonly drive: SimulatedDrive
  readonly dropbox: SimulatedDropbox
  readonly issuer: Issuer
  close(): Promise<void>
}

/** Starts Drive, Dropbox and Google's OpenID issuer, each at a port of its own. */
export async function startClouds(options: CloudsOptions = {}): Promise<Clouds> {
  const [drive, dropbox, issuer] = await Promise.all([
    startDrive(options.drive),
    startDropbox(options.dropbox),
    startIssuer(),
  ])
  if (options.seedFolder !== undefined) await drive.seedFolder(options.seedFolder)
  return {
    drive,
    dropbox,
    issuer,
    async close() {
      await Promise.all([drive.close(), dropbox.close(), issuer.close()])
    },
  }
}
