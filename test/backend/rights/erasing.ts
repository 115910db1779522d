import { createSecretKey, randomBytes } from 'node:crypto'
import { createActs } from '../../../backend/audit/acts.ts'
import { createAuditLog } from '../../../backend/audit/read-log.ts'
import { certifyErasure } from '../../../backend/audit/certify-erasure.ts'
import { sequence } from '../../../backend/audit/sequence.ts'
import { createDisconnecting } from '../../../backend/connect/disconnect.ts'
import { createConnections } from '../../../backend/records/connections.ts'
import { createOwners } from '../../../backend/records/owner.ts'
import { createRevocations } from '../../../backend/records/revocations.ts'
import { createRights } from '../../../backend/rights/rights.ts'
import { collections } from '../../../backend/store/limits.ts'
import type { Collection, Document, Store } from '../../../backend/store/store.ts'
import { createDekCache } from '../../../backend/vault/dek-cache.ts'
import { createWalletWrapper } from '../../../backend/vault/wallet-wrapper.ts'
import type { ErasureCertificate } from '../../../shared/certificate.ts'
import { host, newSigner } from '../audit/logs.ts'

/** Killed: from then on everything it calls throws. */
class Killed extends Error {}

/** Counts what a process asks of a store, and dies of it. */
export interface Life {
  left: number
  readonly after: boolean
}

/** What all processes on a store have in common. */
export interface World {
  readonly store: Store
  /** A process on that store, whose caches are its own; `life` says when it dies. */
  process(life?: Life): Process
  pass(ms: number): void
  readonly now: () => number
  /** No provider can be reached, unless this says so. */
  online: boolean
}

export type Process = ReturnType<typeof processOn>

const kek = {
  id: 'test',
  key: createSecretKey(randomBytes(32)),
  created: '',
  state: 'active' as const,
}

/** @returns processes on a store, with one wallet. */
export function worldOn(store: Store, time: { now: number }): World {
  const signer = newSigner()
  const world: World = {
    store,
    process: (life) => processOn(life === undefined ? store : mortal(life, store), world, signer),
    pass: (ms) => {
      time.now += ms
    },
    now: () => time.now,
    online: false,
  }
  return world
}

function processOn(store: Store, world: World, signer: ReturnType<typeof newSigner>) {
  const { now } = world
  const wrapper = createWalletWrapper({ keks: [kek] }, randomBytes)
  const cache = createDekCache({ wrapper, random: randomBytes, now })
  const owners = createOwners({ store, wrapper, cache, env: 'test', random: randomBytes, now })
  const connections = createConnections(store, owners)
  const revocations = createRevocations(store, owners, now)
  const endpoint = {
    issuer: 'http://127.0.0.1:1',
    // Nobody listens there.
    url: 'http://127.0.0.1:1/token',
    authorizeUrl: 'http://127.0.0.1:1',
    jwksUrl: null,
    clientId: 'id',
    clientSecret: 'secret',
  }
  const endpoints = {
    'google-drive': null,
    dropbox: null,
    box: { ...endpoint, revokeUrl: 'http://127.0.0.1:1/revoke' },
    microsoft: { ...endpoint, revokeUrl: null },
  }
  const acts = createActs({ store, owners, now, random: randomBytes })
  const disconnecting = createDisconnecting({ connections, revocations, acts, endpoints, now })
  const copies = { keys: 'inside', lingerMs: 0 } as const
  const faults: unknown[] = []
  const rights = createRights({
    store,
    owners,
    disconnecting,
    revokes: (provider) => provider !== 'microsoft',
    now,
    random: randomBytes,
    acts,
    certify: async (erasure) => certifyErasure({ store, signer, host, copies }, erasure),
    onFault: (error) => faults.push(error),
  })
  return {
    store,
    owners,
    connections,
    disconnecting,
    acts,
    rights,
    now,
    faults,
    log: createAuditLog({ store, owners }),
    /** What a tick does for erasures. */
    tick: async (): Promise<void> => {
      await sequence({ store, signer, host })
      await rights.proceed()
    },
    exported: async (user: string): Promise<readonly string[]> => {
      const texts: string[] = []
      for await (const text of rights.export(user)) texts.push(text)
      return texts
    },
    erase: async (user: string) => rights.erase(user, (await rights.eraseAsk(user)).code),
  }
}

/** Lets another process do what is left, and fetches the certificate. */
export async function certificateOf(
  world: World,
  { id, secret }: { readonly id: string; readonly secret: string },
): Promise<ErasureCertificate> {
  const process = world.process()
  for (let turns = 0; turns < 5; turns += 1) {
    await process.tick()
    const { certificate } = await process.rights.certificate(id, secret)
    if (certificate !== null) return certificate
  }
  throw new Error('there is no certificate')
}

/** @returns every document of a store, by collection. */
export async function everything(
  store: Store,
): Promise<Readonly<Record<Collection, readonly Document[]>>> {
  const all = await Promise.all(
    collections.map(async (collection) => {
      const before = 'z'.repeat(200)
      return [
        collection,
        await store.list({ collection, where: {}, before, limit: 1_000 }),
      ] as const
    }),
  )
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(all) as Record<Collection, readonly Document[]>
}

function mortal(life: Life, store: Store): Store {
  return new Proxy(store, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        life.left -= 1
        if (life.left < 0 || (life.left === 0 && !life.after)) throw new Killed()
        const answer: unknown = await Reflect.apply(value, target, args)
        if (life.left === 0) throw new Killed()
        return answer
      }
    },
  })
}
