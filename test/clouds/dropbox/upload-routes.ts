import type { Route } from '../call.ts'
import { refusal } from '../call.ts'
import { argument } from './arguments.ts'
import { tooLong } from './body-reader.ts'
import { endpointError, rateLimited } from './endpoint-error.ts'
import { uploadRoute } from './endpoint.ts'
import type { Dropbox } from './endpoint.ts'
import { injectedWriteError } from './injected-errors.ts'
import { saveSession } from './save-upload.ts'
import type { Session } from './upload-sessions.ts'

/** Routes that upload one file: at once, or in a session. */
export function uploadRoutes(dropbox: Dropbox): readonly Route[] {
  const { limits, now } = dropbox

  return [
    uploadRoute(dropbox, 'files/upload', argument.upload, async (account, value, body, call) => {
      const { sessions, lock } = account
      const session = sessions.start('sequential')
      const upload = uploadOf(session)
      let kept = false
      try {
        const received = await upload.receive(0, body.take(), true)
        if ('error' in received) throw tooLong()
        if (value.content_hash && value.content_hash !== received.contentHash()) throw damaged()
        const saved = await lock.hold(limits.writeMs, () =>
          saveSession(account, session, value, now(), injectedWriteError(call)),
        )
        if ('file' in saved) return saved.file
        kept = true
        throw endpointError({
          '.tag': 'path',
          reason: saved.error,
          upload_session_id: session.id,
        })
      } finally {
        if (!kept) {
          sessions.forget(session)
          void session.upload?.discard()
        }
      }
    }),

    uploadRoute(
      dropbox,
      'files/upload_session/start',
      argument.sessionStart,
      async ({ sessions }, value, body) => {
        const kind = value.session_type ?? 'sequential'
        if (kind === 'concurrent') {
          if (value.close) throw endpointError({ '.tag': 'concurrent_session_close_not_allowed' })
          if (!(await body.isEmpty()))
            throw endpointError({ '.tag': 'concurrent_session_data_not_allowed' })
          return { session_id: sessions.start(kind).id }
        }
        const session = sessions.start(kind)
        const upload = uploadOf(session)
        let kept = false
        try {
          const received = await upload.receive(0, body.take(), value.close)
          if ('error' in received) throw tooLong()
          if (value.content_hash && value.content_hash !== received.contentHash()) throw damaged()
          kept = true
          return { session_id: session.id }
        } finally {
          if (!kept) {
            sessions.forget(session)
            void upload.discard()
          }
        }
      },
    ),

    uploadRoute(
      dropbox,
      'files/upload_session/append_v2',
      argument.sessionAppend,
      async ({ sessions }, value, body) => {
        const session = sessions.find(value.cursor.session_id)
        if (session === undefined) throw endpointError({ '.tag': 'not_found' })
        const leave = await session.enter()
        try {
          if (session.upload === null) throw endpointError({ '.tag': 'closed' })
          const { offset } = value.cursor
          const received = await session.upload.receive(offset, body.take(), value.close)
          if ('error' in received) throw endpointError(received.error)
          if (value.content_hash && value.content_hash !== received.contentHash()) {
            received.undo()
            throw damaged()
          }
          received.keep()
          return null
        } finally {
          leave()
        }
      },
    ),

    uploadRoute(
      dropbox,
      'files/upload_session/finish',
      argument.sessionFinish,
      async (account, value, body, call) => {
        const { sessions, lock } = account
        const session = sessions.find(value.cursor.session_id)
        if (session === undefined) throw lookupFailed({ '.tag': 'not_found' })
        if (lock.held()) throw refusal(rateLimited('too_many_write_operations', 1))
        const leave = await session.enter()
        try {
          const { upload } = session
          if (upload === null) throw lookupFailed({ '.tag': 'closed' })
          const { offset } = value.cursor
          const data = !(await body.isEmpty())
          const failed = upload.check(offset, data, false)
          if (failed !== null) throw endpointError(failed)
          const received = data ? await upload.receive(offset, body.take(), false) : null
          if (received !== null && 'error' in received) throw lookupFailed(received.error)
          const mine = received?.contentHash() ?? emptyHash
          if (value.content_hash && value.content_hash !== mine) {
            received?.undo()
            throw damaged()
          }
          const saved = await lock
            .hold(limits.writeMs, () =>
              saveSession(account, session, value.commit, now(), injectedWriteError(call)),
            )
            .catch((error: unknown) => {
              // Another write was faster. Nothing of this call counts, so it can be repeated as it is.
              received?.undo()
              throw error
            })
          if ('file' in saved) return saved.file
          throw endpointError({ '.tag': 'path', path: saved.error })
        } finally {
          leave()
        }
      },
    ),
  ]
}

/** The content hash of no bytes. */
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

function lookupFailed(error: { readonly '.tag': string }): ReturnType<typeof endpointError> {
  return endpointError({ '.tag': 'lookup_failed', lookup_failed: error })
}

function uploadOf(session: Session): NonNullable<Session['upload']> {
  if (session.upload === null) throw new Error('a new session is not saved yet')
  return session.upload
}

function damaged(): ReturnType<typeof endpointError> {
  return endpointError({ '.tag': 'content_hash_mismatch' })
}
