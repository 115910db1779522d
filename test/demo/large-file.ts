import { setTimeout as sleep } from 'node:timers/promises'
import type { ForkedClouds } from '../clouds/fork.ts'
import { trafficOf } from './traffic.ts'
import type { Running } from './waybill-command.ts'

/** Bytes of a file that travels in five chunks. */
export const largeBytes = 40 * 1024 * 1024

/** With this id the simulated line goes dead in the third of the five chunks: the id decides where. */
const id = '1-a-large-video-of-40-MiB-0014'
const lookMs = 25
/** Nothing moves any more when nothing has moved for so many looks. */
const quietLooks = 16

/** Puts a large file into the Drive. */
export async function addLargeFile({ drive }: ForkedClouds): Promise<void> {
  const content = { pattern: 'video', size: largeBytes }
  await drive.control.addFile('root', 'A large video.mp4', content, { id })
}

/** Lets the line go dead when the large file is read the next time. */
export async function stallLargeFile({ drive }: ForkedClouds): Promise<void> {
  await drive.control.planFault({ route: 'drive.files.download', path: id, fault: 'net.stall' })
}

/**
 * Kills a run in the middle of the large file, with SIGKILL, as a power cut would.
 *
 * @returns false if the run was over before
 */
export async function killMidway(clouds: ForkedClouds, running: Running): Promise<boolean> {
  const { control } = clouds.drive
  let [quiet, last] = [0, -1]
  for (;;) {
    const ended = await Promise.race([running.ended, sleep(lookMs, null)])
    if (ended !== null) {
      await control.clearFaults()
      return ended.exitCode === null
    }
    const isStalled = (await control.injectedFaults()).length > 0
    const { sent } = await trafficOf(clouds)
    quiet = isStalled && sent === last ? quiet + 1 : 0
    last = sent
    if (quiet >= quietLooks) running.kill()
  }
}
