import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import { createDropbox } from '../../../backend/clouds/dropbox/destination.ts'
import { startDropbox } from '../../clouds/dropbox/start.ts'
import { describeDestination } from '../../contract/destination.ts'
import type { DestinationUnderTest, LossyCall } from '../../contract/destination-under-test.ts'

const routes: Readonly<Record<LossyCall, string>> = {
  begin: 'dropbox.files/upload_session/start',
  append: 'dropbox.files/upload_session/append_v2',
  commit: 'dropbox.files/upload_session/finish_batch_v2',
  move: 'dropbox.files/move_v2',
  ensureFolders: 'dropbox.files/create_folder_batch',
}

async function startDropboxDestination(): Promise<DestinationUnderTest> {
  let time = Date.parse('2026-11-20T08:00:00Z')
  // Shorter than the life of the access token, which must not end with them.
  const sessionLifeMs = 3600 * 1000
  const dropbox = await startDropbox({ now: () => time, limits: { sessionLifeMs } })
  const rejected: string[] = []
  let damaging = false
  const connections = new Agent()
  const damages: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
    const isContent = JSON.stringify(options.headers).includes('octet-stream')
    if (!damaging || !isContent || !(options.body instanceof Uint8Array))
      return dispatch(options, handler)
    damaging = false
    const body = Buffer.from(options.body).fill(0)
    return dispatch({ ...options, body }, handler)
  }
  let bearer = dropbox.account.accessToken
  return {
    destination: createDropbox({
      token: {
        get: () => Promise.resolve(bearer),
        reject: (refused) => rejected.push(refused),
      },
      apiUrl: dropbox.url,
      contentUrl: dropbox.url,
      dispatcher: connections.compose(damages),
      idleMs: 5000,
      sleep: () => Promise.resolve(),
    }),
    put: async (path, bytes) => (await dropbox.put(path, bytes)).rev,
    remove: (path) => dropbox.remove(path),
    loseAnswer: (call) =>
      dropbox.faults.plan({ route: routes[call], fault: 'net.reset_before_response.applied' }),
    spoilEntry: () =>
      dropbox.faults.plan({
        route: routes.commit,
        fault: 'dropbox.too_many_write_operations_entry',
      }),
    damageBytes() {
      damaging = true
    },
    fill: () => dropbox.setSpace(0),
    forgetSessions() {
      time += sessionLifeMs
    },
    forgetCursors: () => dropbox.resetCursors(),
    refusedName: 'desktop.ini',
    accountId: dropbox.account.id,
    refuseToken() {
      bearer = 'not-a-token'
      return () => rejected
    },
    setOffline: (offline) => dropbox.setOffline(offline),
    async close() {
      await connections.destroy()
      await dropbox.close()
    },
  }
}

describeDestination('Dropbox', startDropboxDestination)
