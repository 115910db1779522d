import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import type { Destination } from '../../../backend/clouds/cloud.ts'
import { headerSafe } from '../../../backend/clouds/dropbox/content.ts'
import { createDropbox } from '../../../backend/clouds/dropbox/destination.ts'
import { startDropbox } from '../../clouds/dropbox/start.ts'
import type { SimulatedDropbox } from '../../clouds/dropbox/start.ts'
import { commitOf, ok, openTop } from '../../contract/destination-under-test.ts'

describe('staging small files in Dropbox', () => {
  let dropbox: SimulatedDropbox
  let destination: Destination
  let time: number
  let longestHeader: number
  const agent = new Agent()

  beforeEach(async () => {
    time = Date.parse('2026-11-20T08:00:00Z')
    longestHeader = 0
    dropbox = await startDropbox()
    const measured: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
      const lines = Object.entries(options.headers ?? {})
      const lengths = lines.map(([name, value]) => name.length + String(value).length)
      longestHeader = Math.max(longestHeader, ...lengths)
      return dispatch(options, handler)
    }
    destination = createDropbox({
      token: { get: () => Promise.resolve(dropbox.account.accessToken), reject: () => {} },
      apiUrl: dropbox.url,
      contentUrl: dropbox.url,
      dispatcher: agent.compose(measured),
      now: () => time,
    })
  })
  afterEach(async () => {
    await dropbox.close()
  })

  const most = () => destination.capabilities.stage?.bodies ?? 0
  const bodiesFor = (count: number) => Array.from({ length: count }, (_, nth) => Buffer.from([nth]))
  const callsOf = (route: string) =>
    dropbox.calls.snapshot().byRoute[`dropbox.${route}`]?.calls ?? 0
  const opened = () => callsOf('files/upload_session/start_batch')

  async function stageAll(count: number): Promise<readonly string[]> {
    const sessions: string[] = []
    for (let from = 0; from < count; from += most()) {
      const bodies = bodiesFor(count).slice(from, from + most())
      // oxlint-disable-next-line no-await-in-loop
      const staged = await destination.stage?.(bodies, count - from - bodies.length)
      sessions.push(...(staged ?? []).map(ok))
    }
    return sessions
  }

  it('costs six calls for 200 files, if it is told how many will follow', async () => {
    const top = await openTop(destination)
    dropbox.calls.reset()
    const sessions = await stageAll(200)
    const commits = sessions.map((session, nth) =>
      commitOf(session, Buffer.from([nth]), { parent: top, name: `file ${nth}` }),
    )
    for (const result of await destination.commit(commits)) ok(result)
    const { byRoute } = dropbox.calls.snapshot()
    const calls = Object.entries(byRoute).map(([name, route]) => [name, route.calls])
    expect(Object.fromEntries(calls.filter(([, count]) => count !== 0))).toEqual({
      'dropbox.files/upload_session/start_batch': 1,
      'dropbox.files/upload_session/append_batch': 4,
      'dropbox.files/upload_session/finish_batch_v2': 1,
    })
  })

  it('keeps each header within 8 KiB, and each body within one call', async () => {
    await destination.stage?.(bodiesFor(most()))
    expect(callsOf('files/upload_session/append_batch')).toBe(1)
    expect(longestHeader).toBeLessThanOrEqual(8 * 1024)
    expect(longestHeader).toBeGreaterThan(7 * 1024)
  })

  it('splits what does not fit into one header', async () => {
    const sessions = await destination.stage?.(bodiesFor(most() * 2))
    expect(new Set((sessions ?? []).map(ok)).size).toBe(most() * 2)
    expect(longestHeader).toBeLessThanOrEqual(8 * 1024)
  })

  it('opens sessions once for callers that come at once', async () => {
    await Promise.all(
      [40, 30, 20, 10].map(async (ahead) => destination.stage?.(bodiesFor(10), ahead)),
    )
    expect(opened()).toBe(1)
  })

  it('opens at most a thousand at once', async () => {
    await destination.stage?.(bodiesFor(1), 5000)
    expect(opened()).toBe(1)
    expect(dropbox.openSessions()).toBe(1000)
  })

  it('does not use sessions that were opened a day ago', async () => {
    await destination.stage?.(bodiesFor(1), 1)
    time += 25 * 3600 * 1000
    await destination.stage?.(bodiesFor(1))
    expect(opened()).toBe(2)
  })

  it('tries again to open sessions after it failed', async () => {
    dropbox.faults.plan({ route: 'dropbox.files/upload_session/start_batch', fault: 'dropbox.5xx' })
    const failed = destination.stage?.(bodiesFor(1))
    await expect(failed).rejects.toEqual(expect.objectContaining({ code: 'unavailable' }))
    expect(await destination.stage?.(bodiesFor(1))).toMatchObject([{ ok: {} }])
  })
})

describe('an argument in a header', () => {
  it('holds ASCII characters only, and says the same', () => {
    const argument = { path: '/Ünï/日本\u007F😀"\\' }
    const header = headerSafe(argument)
    expect(header).toMatch(/^[\u0020-\u007E]*$/)
    expect(JSON.parse(header)).toEqual(argument)
  })
})
