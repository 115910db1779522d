import { setTimeout as wait } from 'node:timers/promises'
import { KeyManagementServiceClient } from '@google-cloud/kms'
import { credentials, status } from '@grpc/grpc-js'
import type {
  UntypedHandleCall,
  UntypedServiceImplementation,
  handleUnaryCall,
  sendUnaryData,
} from '@grpc/grpc-js'
import { startGrpc } from './grpc-server.ts'
import { Refusal, createKeys } from './kms-keys.ts'
import type { Keys } from './kms-keys.ts'
import { liesAbout } from './kms-lies.ts'
import type { LieName } from './kms-lies.ts'
import { createMethods } from './kms-methods.ts'

/** A stand-in for Cloud KMS that listens on 127.0.0.1. */
export interface StartedKms {
  readonly port: number
  /** What it holds, for tests that need no client to change it. */
  readonly keys: Keys
  /** @returns an official client of it; it closes with the stand-in. */
  client(): KeyManagementServiceClient
  /** @returns how often a method (such as `encrypt`), or any, was called. */
  calls(method?: string): number
  /** From now on, or this many times, these methods, or all, are answered with this code; null ends it. */
  answer(code: status | null, only?: { methods?: readonly string[]; times?: number }): void
  /** The next calls, all unless told how many, are carried by a network that does this to them; null ends it. */
  lie(name: LieName | null, times?: number): void
  /** From now on each answer takes this many milliseconds. */
  delay(ms: number): void
  /** Goes on encrypting under this version whatever the primary is, as Cloud KMS does for a while; null ends it. */
  encryptUnder(version: string | null): void
  close(): Promise<void>
}

const PROTOS = '@google-cloud/kms/build/protos/protos.json'
const SERVICE = 'google.cloud.kms.v1.KeyManagementService'

interface Switches {
  code: status | null
  codeFor: readonly string[] | undefined
  codesLeft: number
  lie: LieName | null
  liesLeft: number
  latencyMs: number
  under: string | null
}

/** @param now milliseconds since 1970, unless told those of the wall clock */
export async function startKms({
  now = Date.now,
}: { now?: () => number } = {}): Promise<StartedKms> {
  const keys = createKeys(now)
  const counts = new Map<string, number>()
  const clients: KeyManagementServiceClient[] = []
  const switches: Switches = {
    code: null,
    codeFor: undefined,
    codesLeft: 0,
    lie: null,
    liesLeft: 0,
    latencyMs: 0,
    under: null,
  }

  const methods = createMethods(keys, {
    takeLie: (method) => {
      const { lie, liesLeft } = switches
      if (lie === null || liesLeft < 1 || !liesAbout(method).includes(lie)) return null
      switches.liesLeft -= 1
      return lie
    },
    encryptsUnder: () => switches.under,
  })

  const answered = async <Q, A>(
    method: string,
    handle: (request: Q) => A,
    request: Q,
  ): Promise<A> => {
    counts.set(method, (counts.get(method) ?? 0) + 1)
    if (switches.latencyMs > 0) await wait(switches.latencyMs, undefined, { ref: false })
    const { code, codeFor, codesLeft } = switches
    if (code !== null && codesLeft > 0 && codeFor?.includes(method) !== false) {
      switches.codesLeft -= 1
      throw new Refusal(code, `${method} is answered with ${status[code]}.`)
    }
    return handle(request)
  }

  const served = <Q, A>(method: string, handle: (request: Q) => A): UntypedHandleCall => {
    const serve = async (request: Q, callback: sendUnaryData<A>): Promise<void> => {
      try {
        callback(null, await answered(method, handle, request))
      } catch (error) {
        callback(statusOf(error))
      }
    }
    const unary: handleUnaryCall<Q, A> = ({ request }, callback) => void serve(request, callback)
    return unary
  }

  const implementation: UntypedServiceImplementation = {}
  for (const [method, handle] of Object.entries<(request: never) => unknown>(methods))
    implementation[method] = served(method, handle)
  const server = await startGrpc(PROTOS, { [SERVICE]: implementation })

  return {
    port: server.port,
    keys,
    client: () => {
      const made = new KeyManagementServiceClient({
        apiEndpoint: '127.0.0.1',
        port: server.port,
        sslCreds: credentials.createInsecure(),
        projectId: 'stand-in',
      })
      clients.push(made)
      return made
    },
    calls: (method) =>
      [...counts].reduce(
        (sum, [name, n]) => sum + (method === undefined || name === method ? n : 0),
        0,
      ),
    answer: (code, { methods: only, times = Infinity } = {}) => {
      switches.code = code
      switches.codeFor = only
      switches.codesLeft = times
    },
    lie: (name, times = Infinity) => {
      switches.lie = name
      switches.liesLeft = times
    },
    delay: (ms) => {
      switches.latencyMs = ms
    },
    encryptUnder: (version) => {
      switches.under = version
    },
    close: async () => {
      await Promise.all(clients.map(async (client) => client.close()))
      await server.close()
    },
  }
}

function statusOf(error: unknown): { code: status; details: string } {
  if (error instanceof Refusal) return { code: error.code, details: error.message }
  // A mistake of the stand-in: the test that met it should see what it was.
  const details = error instanceof Error ? `${error.stack}` : 'unknown error'
  return { code: status.INTERNAL, details }
}
