import type { CallSnapshot } from '../clouds/call-log.ts'
import type { ForkedClouds } from '../clouds/fork.ts'

/** Calls by route, all clouds together, tokens and refused calls among them. */
export type CallsMade = Readonly<Record<string, number>>

/** @returns the calls that both clouds have counted so far. */
export async function callsMade({ drive, dropbox }: ForkedClouds): Promise<CallsMade> {
  const both = await Promise.all([drive.control.callsSnapshot(), dropbox.control.callsSnapshot()])
  return Object.fromEntries(both.flatMap(countsOf))
}

function countsOf({ byRoute }: CallSnapshot): [string, number][] {
  return Object.entries(byRoute).map(([route, { calls }]) => [route, calls])
}

/** @returns what was called between two moments: all in all, and by route. */
export function callsBetween(
  before: CallsMade,
  after: CallsMade,
): { readonly total: number; readonly byRoute: CallsMade } {
  const grown = Object.entries(after)
    .map(([route, calls]) => [route, calls - (before[route] ?? 0)] as const)
    .filter(([, calls]) => calls > 0)
  return {
    total: grown.reduce((sum, [, calls]) => sum + calls, 0),
    byRoute: Object.fromEntries(grown),
  }
}
