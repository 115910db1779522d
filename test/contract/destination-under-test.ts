import { expect } from '@jest/globals'
import { buffer } from 'node:stream/consumers'
import type {
  Commit,
  Copy,
  Destination,
  Folder,
  Place,
  Precondition,
  Result,
  Session,
} from '../../backend/clouds/cloud.ts'

/** Calls whose answer can be lost on the way back, after they did what was asked. */
export type LossyCall = 'begin' | 'append' | 'commit' | 'move' | 'ensureFolders'

/** A destination to be tested, and what its provider lets happen behind its back. */
export interface DestinationUnderTest {
  readonly destination: Destination
  /** Writes a file as its owner in another client would, over what is there. Returns its version. */
  put(path: string, bytes: Buffer): Promise<string>
  remove(path: string): void
  /** The next such call happens and its answer is lost. */
  loseAnswer(call: LossyCall): void
  /** One entry of the next commit is refused because the account is busy. */
  spoilEntry(): void
  /** The next bytes that are sent arrive damaged. */
  damageBytes(): void
  /** No byte more fits in. */
  fill(): void
  /** All uploads that were begun are forgotten. */
  forgetSessions(): void
  /** Cursors handed out so far are refused from now on. */
  forgetCursors(): void
  /** A name that is legal to write in a request and not allowed as a name; null if there is none. */
  readonly refusedName: string | null
  readonly accountId: string
  /** The access token in use is refused from now on. Returns the tokens that were rejected since. */
  refuseToken(): () => readonly string[]
  setOffline(offline: boolean): void
  close(): Promise<void>
}

/** Starts a provider of its own for each test. */
export type StartDestination = () => Promise<DestinationUnderTest>

/** What each test gets: a provider of its own, and a folder to put things in. */
export interface GivenDestination {
  readonly cloud: DestinationUnderTest
  readonly destination: Destination
  readonly top: Folder
  /** A place in `top`, or in another folder. */
  at(name: string, parent?: Folder): Place
}

/** Declares a test of a destination. */
export type ItDestination = (
  sentence: string,
  test: (given: GivenDestination) => Promise<void>,
) => void

/** The folder that the tests put things in. */
export const openTop = (destination: Destination): Promise<Folder> =>
  destination.openFolder('/Backups/Drive')

const modifiedAt = '2026-03-04T05:06:07.890Z'

/** What a failure with this code looks like. */
export const failsWith = (code: string): unknown =>
  expect.objectContaining({ name: 'WaybillError', code })

/** What an entry that failed with this code looks like. */
export const entryFailsWith = (code: string): unknown => ({ error: failsWith(code) })

/** Puts a file somewhere with a session of its own. */
export async function upload(
  destination: Destination,
  bytes: Buffer,
  place: Place,
  precondition: Precondition = { if: 'absent' },
): Promise<Result<Copy>> {
  const session = await destination.begin(bytes, true)
  const entry = { ...commitOf(session, bytes, place), precondition }
  return only(await destination.commit([entry]))
}

/** The bytes of the file at a place, null if there is none. */
export async function bytesOf(destination: Destination, place: Place): Promise<Buffer | null> {
  const found = await destination.find(place)
  if (found === null || 'folder' in found) return null
  return buffer((await destination.open(found.file, { from: 0 })).stream)
}

/** A commit of a whole session at a place where nothing may be. */
export function commitOf(session: Session, bytes: Buffer, place: Place): Commit {
  return { session, size: bytes.length, place, modifiedAt, precondition: { if: 'absent' } }
}

/** The value of an entry that must have succeeded. */
export function ok<T>(result: Result<T> | undefined): T {
  if (result !== undefined && 'ok' in result) return result.ok
  throw result?.error ?? new Error('there is no result')
}

/** The one entry of a list that must have one. */
export function only<T>(entries: readonly T[]): T {
  const [entry] = entries
  if (entry === undefined || entries.length !== 1) throw new Error('there should be one entry')
  return entry
}
