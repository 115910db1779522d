import type { Route } from '../call.ts'
import { refusal } from '../call.ts'
import type { AccountState } from './account-state.ts'
import { argument } from './arguments.ts'
import type { BodyReader } from './body-reader.ts'
import { createContentHasher, joinDigests } from './content-hash.ts'
import { endpointError, rateLimited } from './endpoint-error.ts'
import type { Tagged } from './endpoint-error.ts'
import { rpcRoute, uploadRoute } from './endpoint.ts'
import type { Dropbox } from './endpoint.ts'
import { injectedEntryErrors } from './injected-errors.ts'
import { saveSession } from './save-upload.ts'
import type { AppendError, Received, UploadSessions } from './upload-sessions.ts'

interface AppendEntry {
  readonly cursor: { readonly session_id: string; readonly offset: number }
  readonly length: number
  readonly close: boolean
}

type FinishEntry = (typeof argument.sessionFinishBatch)['_output']['entries'][number]

/** Routes that upload or save many files at once. */
export function batchRoutes(dropbox: Dropbox): readonly Route[] {
  const { limits, now } = dropbox

  function finishEntry(account: AccountState, entry: FinishEntry): object {
    const session = account.sessions.find(entry.cursor.session_id)
    if (session === undefined) return lookupFailed({ '.tag': 'not_found' })
    if (session.upload === null) return lookupFailed({ '.tag': 'closed' })
    const failed = session.upload.check(entry.cursor.offset, false, true)
    if (failed !== null) return failure(failed)
    const saved = saveSession(account, session, entry.commit, now())
    if ('file' in saved) return { '.tag': 'success', ...saved.file }
    return failure({ '.tag': 'path', path: saved.error })
  }

  return [
    rpcRoute(
      dropbox,
      'files/upload_session/start_batch',
      'write',
      argument.sessionStartBatch,
      ({ sessions }, value) => {
        const kind = value.session_type ?? 'sequential'
        const started = Array.from({ length: value.num_sessions }, () => sessions.start(kind))
        return { session_ids: started.map((session) => session.id) }
      },
    ),

    uploadRoute(
      dropbox,
      'files/upload_session/append_batch',
      argument.sessionAppendBatch,
      async ({ sessions }, { entries, content_hash: hash }, body, call) => {
        const whole = createContentHasher()
        if (hash) body.watch((bytes) => whole.update(bytes))
        const expected = entries.reduce((sum, entry) => sum + entry.length, 0)
        const announced = call.headers['content-length']
        if (announced !== undefined && Number(announced) !== expected)
          throw endpointError({ '.tag': 'length_mismatch' })
        const leave = await enterAll(sessions, entries)
        const received: Received[] = []
        try {
          const results: object[] = []
          for (const entry of entries) {
            const result = await appendEntry(sessions, entry, body)
            if (!('error' in result)) received.push(result)
            results.push(
              'error' in result
                ? { '.tag': 'failure', failure: result.error }
                : { '.tag': 'success' },
            )
          }
          if (body.read() !== expected || !(await body.isEmpty()))
            throw endpointError({ '.tag': 'length_mismatch' })
          if (hash && hash !== joinDigests(whole.digests()))
            throw endpointError({ '.tag': 'content_hash_mismatch' })
          received.length = 0
          return { entries: results }
        } finally {
          for (const one of received.toReversed()) one.undo()
          leave()
        }
      },
    ),

    rpcRoute(
      dropbox,
      'files/upload_session/finish_batch_v2',
      'write',
      argument.sessionFinishBatch,
      async (account, { entries }, call) => {
        const injected = injectedEntryErrors(call, entries.length)
        const { lock } = account
        if (lock.held()) throw refusal(rateLimited('too_many_write_operations', 1))
        const time = limits.writeMs + limits.writeEntryMs * entries.length
        return lock.hold(time, () => ({
          entries: entries.map((entry, at) => {
            const error = injected.get(at)
            return error === undefined ? finishEntry(account, entry) : failure(error)
          }),
        }))
      },
    ),
  ]
}

async function appendEntry(
  sessions: UploadSessions,
  entry: AppendEntry,
  body: BodyReader,
): Promise<Received | { readonly error: AppendError }> {
  const before = body.read()
  const session = sessions.find(entry.cursor.session_id)
  const result =
    session === undefined
      ? { error: { '.tag': 'not_found' } as const }
      : session.upload === null
        ? { error: { '.tag': 'closed' } as const }
        : await session.upload.receive(entry.cursor.offset, body.take(entry.length), entry.close)
  await body.skip(entry.length - (body.read() - before))
  if (!('error' in result)) result.keep()
  return result
}

/** Takes the turns of all sessions of a batch, always in the same order, so that no two batches wait for each other. */
async function enterAll(
  sessions: UploadSessions,
  entries: readonly AppendEntry[],
): Promise<() => void> {
  const ids = [...new Set(entries.map((entry) => entry.cursor.session_id))].toSorted()
  const leaving: (() => void)[] = []
  for (const id of ids) {
    const leave = await sessions.find(id)?.enter()
    if (leave !== undefined) leaving.push(leave)
  }
  return () => {
    for (const leave of leaving) leave()
  }
}

function failure(error: Tagged): object {
  return { '.tag': 'failure', failure: error }
}

function lookupFailed(error: Tagged): object {
  return failure({ '.tag': 'lookup_failed', lookup_failed: error })
}
