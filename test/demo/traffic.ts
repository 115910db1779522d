import type { CallSnapshot } from '../clouds/call-log.ts'
import type { ForkedClouds } from '../clouds/fork.ts'

/** What has gone over the line so far, as the clouds counted it: refused calls and those for tokens among them. */
export interface Traffic {
  readonly drive: number
  readonly dropbox: number
  /** Bytes of files that were read from Drive, and that arrived at Dropbox. */
  readonly read: number
  readonly sent: number
}

const reads = /^drive\.(?:files\.(?:download|export)|export)/
const sends = /^dropbox\.files\/upload(?:$|_session\/(?:start$|append))/

/** @returns the counters of both clouds. */
export async function trafficOf({ drive, dropbox }: ForkedClouds): Promise<Traffic> {
  const [from, to] = await Promise.all([
    drive.control.callsSnapshot(),
    dropbox.control.callsSnapshot(),
  ])
  return {
    drive: from.calls,
    dropbox: to.calls,
    read: sumOf(from, reads, 'bytesOut'),
    sent: sumOf(to, sends, 'bytesIn'),
  }
}

/** @returns what was counted between two moments. */
export function between(before: Traffic, after: Traffic): Traffic {
  return {
    drive: after.drive - before.drive,
    dropbox: after.dropbox - before.dropbox,
    read: after.read - before.read,
    sent: after.sent - before.sent,
  }
}

function sumOf({ byRoute }: CallSnapshot, routes: RegExp, of: 'bytesIn' | 'bytesOut'): number {
  return Object.entries(byRoute)
    .filter(([route]) => routes.test(route))
    .reduce((sum, [, counters]) => sum + counters[of], 0)
}

/** @returns the calls in words. */
export function callsIn({ drive, dropbox }: Traffic, count: (value: number) => string): string {
  return `${count(drive + dropbox)} calls (${count(drive)} to Drive, ${count(dropbox)} to Dropbox)`
}
