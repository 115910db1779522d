import type { AddressInfo } from 'node:net'
import { setImmediate, setTimeout as sleepFor } from 'node:timers/promises'
import type { AccountProvider, DriveTier } from '../shared/account.ts'
import { createHttpServer } from './app.ts'
import { operator } from './audit/acts.ts'
import { createAuditLog } from './audit/read-log.ts'
import type { AuditLog } from './audit/read-log.ts'
import { sequence } from './audit/sequence.ts'
import { createSteady } from './clouds/steady.ts'
import type { Settings } from './config.ts'
import { addConnection } from './connect/add-connection.ts'
import { viewOf } from './connect/connections-view.ts'
import type { ConnectionView } from './connect/connections-view.ts'
import type { Disconnected } from './connect/disconnect.ts'
import { createTokens } from './connect/tokens.ts'
import type { Log } from './log.ts'
import type { Tracing } from './log/tracing.ts'
import { createAccounts } from './main/accounts.ts'
import { createDomains } from './main/domains.ts'
import { endpointsOf } from './main/endpoints.ts'
import type { Clouds } from './main/clouds.ts'
import { createProtection } from './main/protection.ts'
import { faultOf } from './main/fault-of.ts'
import type { Platform } from './main/platform.ts'
import { servedApp } from './main/served-app.ts'
import type { ApiKeys } from './records/api-keys.ts'
import { createConnections } from './records/connections.ts'
import { createOwners } from './records/owner.ts'
import { rewrapKeys } from './records/rewrap-keys.ts'
import type { RewrapCounts } from './records/rewrap-keys.ts'
import { rotateKeys } from './records/rotate-keys.ts'
import type { RotateCounts, RotateProgress } from './records/rotate-keys.ts'
import { rightsOf } from './main/rights.ts'
import type { Rights } from './rights/rights.ts'
import { createJobs } from './run/act-on-jobs.ts'
import { createFreezing } from './run/freezing.ts'
import type { FreezeView } from './run/freezing.ts'
import type { Jobs } from './run/jobs.ts'
import { Stop, createRunner } from './run/run-task.ts'
import type { SliceEnd } from './run/run-task.ts'
import { tick } from './schedule/tick.ts'
import { createDekCache } from './vault/dek-cache.ts'
import { createRandomBytes } from './vault/random-bytes.ts'

/** A slice works for as long as this before it hands over. */
const SLICE_MS = 4 * 60_000

export interface Waybill {
  readonly jobs: Jobs
  readonly connections: { list(user: string): Promise<readonly ConnectionView[]> }
  readonly apiKeys: Pick<ApiKeys, 'create' | 'list' | 'revoke'>
  readonly audit: AuditLog
  /** Brings the acts that wait into their logs and signs these, as each tick does. */
  chainActs(): Promise<void>
  readonly rights: Rights
  /** Keeps an account whose refresh token is known. Throws `connection_expired` when the provider refuses it. */
  connect(user: string, provider: AccountProvider, refreshToken: string): Promise<ConnectionView>
  /**
   * Gives a link by which an account is connected in a browser of this machine; `isOwner` for somebody who has no Google
   * account to sign in with, whom the link itself signs in.
   */
  connectLink(
    user: string,
    asked: { readonly provider: AccountProvider; readonly tier?: DriveTier },
    isOwner: boolean,
  ): Promise<{ readonly url: string; readonly expiresAt: string }>
  /** Forgets an account and has its provider take the access back. Throws `not_found`. */
  disconnect(user: string, connection: string): Promise<Disconnected>
  freeze(user: string): Promise<FreezeView>
  unfreeze(user: string): Promise<FreezeView>
  /**
   * Begins to work on runs, first on those that an earlier process left; where the queue calls over HTTP, `serve` is
   * what makes it work. Throws `store_in_use` when another process works on this store.
   */
  work(): Promise<void>
  /** Brings every person's key under the newest KEK; what a pass leaves, the next one takes up. */
  rewrapKeys(signal: AbortSignal): Promise<RewrapCounts>
  /**
   * Gives every person a new DEK, which takes twenty minutes and more; what it is interrupted in, the next one takes up.
   *
   * @param told hears how it is doing, often
   * @param anew begins another, also while an earlier one is not over
   */
  rotateKeys(
    signal: AbortSignal,
    told: (progress: RotateProgress) => void,
    anew?: boolean,
  ): Promise<RotateCounts>
  /** Serves what the role says. Resolves, once it listens, with where. */
  serve(): Promise<string>
  /** Lets the slices under way write their checkpoints and hand over, then lets go of everything. */
  close(): Promise<void>
}

/**
 * The composition root: with `main/`, the only place that names implementations.
 *
 * @param platform opened; it is closed with everything else
 */
export function openWaybill({
  settings,
  platform,
  log,
  tracing,
  sliceMs = SLICE_MS,
  leaseMs,
}: {
  readonly settings: Settings
  readonly platform: Platform
  readonly log: Log
  readonly tracing?: Tracing
  /** How long a slice works before it hands over, in milliseconds. */
  readonly sliceMs?: number
  /** How long a dead worker keeps others from its run, in milliseconds; a minute unless told. */
  readonly leaseMs?: number
}): Waybill {
  const now = Date.now
  const random = createRandomBytes()
  const { store, queue, wrapper, signer } = platform
  const cache = createDekCache({ wrapper, random, now })
  const owners = createOwners({ store, wrapper, cache, env: settings.environment, random, now })
  const connections = createConnections(store, owners)
  const endpoints = endpointsOf(settings)
  let loading: Promise<Clouds> | null = null
  // The providers' libraries take a while to load: whoever only serves the API starts without them.
  const loadClouds = async (): Promise<Clouds> =>
    (loading ??= import('./main/clouds.ts').then(({ cloudsOf }) => cloudsOf(settings)))
  const wait = async (ms: number, signal?: AbortSignal): Promise<void> =>
    sleepFor(ms, undefined, signal === undefined ? {} : { signal })
  const steady = createSteady({
    clock: now,
    random: Math.random,
    sleep: wait,
    onCall: (provider, code) => log.debug('call', { provider, ...(code === null ? {} : { code }) }),
  })
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    await wait(ms, signal).catch(() => undefined)
  }
  const whose = async (...asked: Parameters<Clouds['account']>) =>
    (await loadClouds()).account(...asked)
  const freezing = createFreezing({
    store,
    owners,
    queue,
    // Who is of which domain is known below.
    acts: { leaf: async (user, act) => acts.leaf(user, act) },
    now,
  })
  const records = { store, owners, connections, now, random }
  const domains = createDomains(settings, {
    ...records,
    endpoint: endpoints['google-drive'],
    directory: {
      subject: async (token) => (await loadClouds()).directory.subject(token),
      user: async (token, key) => (await loadClouds()).directory.user(token, key),
    },
    whose,
    freezing,
  })
  const { acts, tenantOf, policing, keepToPolicy, refuseExport } = domains
  const audit = createAuditLog({ store, owners, tenantOf, refuseExport })
  const tokens = createTokens({
    connections,
    endpoints,
    delegated: domains.delegating.grant,
    acts,
    now,
    random,
    sleep: wait,
    onStopped: ({ connection, provider, error }) =>
      log.warn('connection_stopped', { connection, provider, code: error.code }),
  })
  let { port } = settings
  const adding = { connections, acts, endpoints, whose, policing, now, random }
  const accounts = createAccounts(settings, { ...adding, store, owners, tokens, port: () => port })
  const host = (): string => new URL(accounts.publicUrl()).hostname
  const rights = rightsOf(settings, {
    host,
    store,
    owners,
    signer,
    acts,
    tenantOf,
    endpoints,
    now,
    random,
    disconnecting: accounts.disconnecting,
    onFault: (error) => log.error('erasure_failed', faultOf(error)),
  })
  const { sessions } = accounts
  const protection = createProtection(settings.protection, {
    store,
    owners,
    acts,
    connections,
    sessions,
    freezing,
    log,
    now,
    random,
  })
  const jobs = createJobs({ ...records, queue, tenantOf, keepToPolicy, sleep })
  const runner = createRunner({
    store,
    owners,
    queue,
    keepToPolicy,
    open: async ({ user, request }, signal) => {
      const from = request.source.connection
      const to = request.destination.connection
      const clouds = await loadClouds()
      const reading = tokens.of(user, from)
      // Nothing is done at the destination for a delegated account before it is known to be its owner's still.
      await reading.get()
      return {
        source: steady.source(clouds.source(reading), from, signal),
        destination: steady.destination(clouds.destination(tokens.of(user, to)), to, signal),
      }
    },
    now,
    random,
    turn: async () => setImmediate(),
    sliceMs,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    onEnd: (end) => logEnd(log, end),
  })
  const stop = new AbortController()
  const closers: (() => Promise<void>)[] = []
  const chainActs = async (): Promise<void> =>
    void (await sequence({ store, signer, host: host() }))
  const lookAfterAll = async (alone: boolean): Promise<number> => {
    cache.sweep()
    // Whatever else the tick looks after keeps no run from going on: the next one tries again.
    const beside = [
      chainActs()
        .catch((error: unknown) => log.error('audit_failed', faultOf(error)))
        // A certificate proves what has just been chained.
        .then(async () => rights.proceed())
        .catch((error: unknown) => log.error('erasure_failed', faultOf(error))),
      accounts.disconnecting
        .retry()
        .catch((error: unknown) => log.error('revocations_failed', faultOf(error))),
    ]
    try {
      return await tick({ store, owners, queue }, now(), alone)
    } finally {
      await Promise.all(beside)
    }
  }
  let ticking: Promise<number> | null = null
  // Whoever asks for a tick while one is under way waits for that one: two would only do the same.
  const wakeUp = async (alone: boolean): Promise<number> =>
    (ticking ??= lookAfterAll(alone).finally(() => (ticking = null)))

  return {
    jobs,
    connections: accounts.connections,
    connect: async (user, provider, refreshToken) =>
      viewOf(await addConnection(adding, user, provider, refreshToken)),
    connectLink: async (user, asked, isOwner) => accounts.connecting.start(user, asked, isOwner),
    disconnect: async (user, id) => accounts.disconnecting.disconnect(user, id),
    freeze: async (user) => freezing.freeze(user),
    unfreeze: async (user) => freezing.unfreeze(user),
    apiKeys: protection.apiKeys,
    audit,
    rights,
    chainActs,
    rewrapKeys: async (signal) => {
      const deps = { store, wrapper: platform.wrapper, env: settings.environment }
      const done = await rewrapKeys(deps, signal)
      await acts.record(operator, { act: 'keys_rewrapped', target: null, details: { ...done } })
      return done
    },
    rotateKeys: async (signal, told, anew) => {
      const env = settings.environment
      const deps = { store, wrapper, cache, env, random, now, sleep }
      const done = await rotateKeys(deps, signal, told, anew)
      await acts.record(operator, { act: 'keys_rotated', target: null, details: { ...done } })
      return done
    },
    work: async () => {
      if (platform.deliver === null) return
      const handle = async (task: Parameters<typeof runner.handle>[0]) =>
        runner.handle(task, stop.signal)
      closers.push(await platform.deliver(handle, wakeUp))
    },
    serve: async () => {
      const app = servedApp(settings, {
        log,
        ...(tracing === undefined ? {} : { tracing }),
        clock: now,
        jobs,
        freezing,
        ...accounts,
        ...protection,
        audit,
        rights,
        domains,
        // Keys may be kept in a database of their own.
        ready: async () =>
          void (await Promise.all([
            store.get('keys', 'readiness'),
            store.get('runs', 'readiness'),
          ])),
        handle: (task, signal) => runner.handle(task, signal),
        tick: async () => wakeUp(false),
        stop: stop.signal,
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
      port = addressOf(server.address()).port
      log.info('listening', { port })
      return `http://${settings.host}:${port}`
    },
    close: async () => {
      stop.abort(new Stop())
      await Promise.all(closers.map(async (close) => close()))
      cache.purge()
      await platform.close()
    },
  }
}

function addressOf(address: string | AddressInfo | null): AddressInfo {
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen on a port.')
  return address
}

function logEnd(log: Log, { run, end, error, items, bytes }: SliceEnd): void {
  if (end === 'over') log.info('run_over', { run, count: items ?? 0, bytes: bytes ?? 0 })
  else if (end === 'failed') log.error('run_failed', { run, ...faultOf(error) })
  else if (end === 'paused' || end === 'waits') log.warn(`run_${end}`, { run, ...faultOf(error) })
  else log.info(`slice_${end}`, { run })
}
