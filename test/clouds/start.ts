import { startDrive } from './drive/start.ts'
import type { DriveOptions, SimulatedDrive } from './drive/start.ts'
import { startDropbox } from './dropbox/start.ts'
import type { DropboxOptions, SimulatedDropbox } from './dropbox/start.ts'
import { startIssuer } from './issuer.ts'
import type { Issuer } from './issuer.ts'
import { startBox, startMicrosoft } from './oauth/start-provider.ts'
import type { SimulatedProvider } from './oauth/start-provider.ts'
import type { CloudOptions } from './simulated-cloud.ts'

/** What the clouds are started with. */
export interface CloudsOptions {
  readonly drive?: DriveOptions
  readonly dropbox?: DropboxOptions
  readonly box?: CloudOptions
  readonly microsoft?: CloudOptions
  /** A real folder whose files are in the Drive from the start. */
  readonly seedFolder?: string
}

/** All simulated clouds in this process. */
export interface Clouds {
  readonly drive: SimulatedDrive
  readonly dropbox: SimulatedDropbox
  readonly box: SimulatedProvider
  readonly microsoft: SimulatedProvider
  readonly issuer: Issuer
  close(): Promise<void>
}

/** Starts Drive, Dropbox, the sign-in of Box and Microsoft, and Google's OpenID issuer, each at a port of its own. */
export async function startClouds(options: CloudsOptions = {}): Promise<Clouds> {
  const issuer = await startIssuer()
  const [drive, dropbox, box, microsoft] = await Promise.all([
    startDrive({ keys: issuer.keys, ...options.drive }),
    startDropbox(options.dropbox),
    startBox(options.box),
    startMicrosoft(options.microsoft),
  ])
  if (options.seedFolder !== undefined) await drive.seedFolder(options.seedFolder)
  const all = { drive, dropbox, box, microsoft, issuer }
  return {
    ...all,
    async close() {
      await Promise.all(Object.values(all).map((each) => each.close()))
    },
  }
}
