import type { AddressInfo } from 'node:net'
import { setImmediate, setTimeout as sleepFor } from 'node:timers/promises'
import { asWaybillError } from '../shared/errors.ts'
import type { ProviderId } from '../shared/job.ts'
import { createAuthenticate } from './api/authenticate.ts'
import { placeOf } from './api/errors.ts'
import { createGoogleKeys } from './api/google-keys.ts'
import { createApp, createHttpServer } from './app.ts'
import type { TokenSource } from './clouds/cloud.ts'
import { createDispatcher } from './clouds/http.ts'
import { createDriveSource } from './clouds/google-drive/source.ts'
import { createDropbox } from './clouds/dropbox/destination.ts'
import { createSteady } from './clouds/steady.ts'
import type { Settings } from './config.ts'
import { addConnection } from './connect/add-connection.ts'
import { createConnectionViews, viewOf } from './connect/connections-view.ts'
import type { ConnectionView } from './connect/connections-view.ts'
import { createTokens } from './connect/tokens.ts'
import { createLocalQueue } from './dispatch/local-queue.ts'
import type { Log } from './log.ts'
import { createConnections } from './records/connections.ts'
import { createOwners } from './records/owner.ts'
import { createJobs } from './run/act-on-jobs.ts'
import type { Jobs } from './run/jobs.ts'
import { Stop, createRunner } from './run/run-task.ts'
import type { SliceEnd } from './run/run-task.ts'
import { tick } from './schedule/tick.ts'
import { holdStore, openStoreFile } from './store/sqlite-file.ts'
import { createSqliteStore } from './store/sqlite.ts'
import { createDekCache } from './vault/dek-cache.ts'
import { createRandomBytes } from './vault/random-bytes.ts'
import { createWalletWrapper } from './vault/wallet-wrapper.ts'
import type { Wallet } from './vault/wallet.ts'

/** A slice works for as long as this before it hands over. */
const SLICE_MS = 4 * 60_000
const TICK_MS = 15_000
/** Runs worked on at the same time in one process. */
const RUNS_AT_ONCE = 4

/** Waybill on one machine: everything on one store file, with a wallet for the keys. */
export interface Waybill {
  readonly jobs: Jobs
  readonly connections: { list(user: string): Promise<readonly ConnectionView[]> }
  /** Keeps an account whose refresh token is known. Throws `connection_expired` when the provider refuses it. */
  connect(user: string, provider: ProviderId, refreshToken: string): Promise<ConnectionView>
  /**
   * Begins to work on runs, first on those that an earlier process left. Throws `store_in_use` when another process
   * works on this store.
   */
  work(): Promise<void>
  /** Serves the API. Resolves, once it listens, with where. */
  serve(): Promise<string>
  /** Lets the slices under way write their checkpoints and hand over, then lets go of everything. */
  close(): Promise<void>
}

/**
 * The composition root: the only place that names implementations.
 *
 * @param wallet opened: its keys live in this process's memory only
 */
export function openWaybill({
  settings,
  wallet,
  log,
  sliceMs = SLICE_MS,
}: {
  readonly settings: Settings
  readonly wallet: Pick<Wallet, 'keks'>
  readonly log: Log
  /** How long a slice works before it hands over, in milliseconds. */
  readonly sliceMs?: number
}): Waybill {
  const now = Date.now
  const random = createRandomBytes()
  const db = openStoreFile(settings.store)
  const store = createSqliteStore(db, { clock: now })
  const queue = createLocalQueue(db, {
    clock: now,
    random: Math.random,
    onError: (error) => log.error('delivery_failed', faultOf(error)),
  })
  const wrapper = createWalletWrapper(wallet, random)
  const cache = createDekCache({ wrapper, random, now })
  const owners = createOwners({ store, wrapper, cache, env: settings.environment, random, now })
  const connections = createConnections(store, owners)
  const endpoints = endpointsOf(settings)
  const tokens = createTokens({ connections, endpoints, now })
  const clouds = cloudsOf(settings)
  const wait = async (ms: number, signal?: AbortSignal): Promise<void> =>
    sleepFor(ms, undefined, signal === undefined ? {} : { signal })
  const steady = createSteady({ clock: now, random: Math.random, sleep: wait })
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    await wait(ms, signal).catch(() => undefined)
  }
  const jobs = createJobs({ store, owners, connections, queue, now, random, sleep })
  const runner = createRunner({
    store,
    owners,
    queue,
    open: async ({ user, request }, signal) => {
      const from = request.source.connection
      const to = request.destination.connection
      return {
        source: steady.source(clouds.source(tokens.of(user, from)), from, signal),
        destination: steady.destination(clouds.destination(tokens.of(user, to)), to, signal),
      }
    },
    now,
    random,
    turn: async () => setImmediate(),
    sliceMs,
    onEnd: (end) => logEnd(log, end),
  })
  const stop = new AbortController()
  const closers: (() => Promise<void>)[] = []

  return {
    jobs,
    connections: createConnectionViews(connections),
    connect: async (user, provider, refreshToken) => {
      const whose = async (of: ProviderId, token: TokenSource) =>
        of === 'google-drive' ? clouds.source(token).account() : clouds.destination(token).account()
      const deps = { connections, endpoints, whose, now, random }
      return viewOf(await addConnection(deps, user, provider, refreshToken))
    },
    work: async () => {
      const hold = holdStore(settings.store)
      // Nobody else can be at work on this store: what is leased is leased to the dead.
      await tick({ store, queue }, now(), true)
      queue.start(async (task) => runner.handle(task, stop.signal), RUNS_AT_ONCE)
      const ticking = setInterval(() => {
        cache.sweep()
        tick({ store, queue }, now(), false).catch((error: unknown) =>
          log.error('tick_failed', faultOf(error)),
        )
      }, TICK_MS)
      closers.push(async () => {
        clearInterval(ticking)
        stop.abort(new Stop())
        await queue.stop()
        hold.release()
      })
    },
    serve: async () => {
      const { issuers, jwksUrl } = settings.google
      const rules = {
        issuers,
        audiences: settings.audiences,
        hostedDomains: settings.hostedDomains,
      }
      const keys = createGoogleKeys({ url: jwksUrl, fetch, clock: now })
      const authenticate = createAuthenticate({ rules, keys, clock: now })
      const ready = async (): Promise<void> => {
        await store.get('keys', 'readiness')
      }
      const app = createApp({
        authenticate,
        log,
        clock: now,
        jobs,
        connections: createConnectionViews(connections),
        ready,
      })
      const server = createHttpServer(app)
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(settings.port, settings.host, resolve)
      })
      closers.push(
        async () =>
          new Promise((resolve) => {
            server.close(() => resolve())
            server.closeIdleConnections()
          }),
      )
      const { port } = addressOf(server.address())
      log.info('listening', { port })
      return `http://${settings.host}:${port}`
    },
    close: async () => {
      await Promise.all(closers.map(async (close) => close()))
      cache.purge()
      store.close()
    },
  }
}

function endpointsOf({ google, dropbox }: Settings) {
  return {
    'google-drive': {
      issuer: google.issuers[0] ?? '',
      url: google.tokenUrl,
      clientId: google.clientId,
      clientSecret: google.clientSecret,
    },
    dropbox: {
      issuer: new URL(dropbox.tokenUrl).origin,
      url: dropbox.tokenUrl,
      clientId: dropbox.appKey,
      clientSecret: dropbox.appSecret,
    },
  }
}

function cloudsOf({ google, dropbox }: Settings) {
  const dispatcher = createDispatcher()
  return {
    source: (token: TokenSource) =>
      createDriveSource({ token, rootUrl: `${google.apiUrl}/`, dispatcher }),
    destination: (token: TokenSource) =>
      createDropbox({ token, apiUrl: dropbox.apiUrl, contentUrl: dropbox.contentUrl, dispatcher }),
  }
}

function addressOf(address: string | AddressInfo | null): AddressInfo {
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen on a port.')
  return address
}

function logEnd(log: Log, { run, end, error }: SliceEnd): void {
  if (end === 'failed') log.error('run_failed', { run, ...faultOf(error) })
  else if (end === 'paused' || end === 'waits') log.warn(`run_${end}`, { run, ...faultOf(error) })
  else log.info(`slice_${end}`, { run })
}

function faultOf(thrown: unknown) {
  const error = asWaybillError(thrown)
  const at = placeOf(error)
  return { code: error.code, ...(at === undefined ? {} : { at }) }
}
