import type { KeyManagementServiceClient } from '@google-cloud/kms'
import { createCircuit } from './circuit.ts'
import type { Outcome } from './circuit.ts'

/** What is used of the official client. */
export type KmsClient = Pick<
  KeyManagementServiceClient,
  | 'initialize'
  | 'encrypt'
  | 'decrypt'
  | 'getCryptoKey'
  | 'listCryptoKeyVersions'
  | 'asymmetricSign'
  | 'getPublicKey'
>

/** What calls to Cloud KMS need of the world. */
export interface KmsCallOptions {
  /** Opens a client. It is kept as long as it works, and another is opened when it could not get its credentials. */
  readonly open: () => KmsClient | Promise<KmsClient>
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** How long an answer may take: 10 s unless told. */
  readonly deadlineMs?: number
  /** How long nobody asks again after a failure: 30 s unless told. */
  readonly probeEveryMs?: number
}

type Operation = 'wrap' | 'unwrap' | 'list' | 'sign'

/** One call to Cloud KMS. */
export interface KmsCall<A, T> {
  readonly operation: Operation
  /** The KEK that it is about, if it is about a certain one. */
  readonly kekId?: string
  readonly send: (client: KmsClient, options: KmsSendOptions) => Promise<readonly [A, ...unknown[]]>
  /** @returns what the answer says; null if it does not check out. */
  readonly read: (answer: A) => T | null
  /** What it means that Cloud KMS calls the request invalid each time. */
  readonly invalid?: Outcome<T>
}

interface KmsSendOptions {
  readonly timeout: number
  readonly retry: null
}

const EVERYTHING = 'everything'

const damaged: Outcome<never> = {
  kind: 'unavailable',
  place: EVERYTHING,
  message: 'Cloud KMS gave answers that do not check out',
  cause: undefined,
}

// https://cloud.google.com/kms/docs/data-integrity-guidelines: discard, and repeat a limited number of times.
const ATTEMPTS = 3

// https://grpc.io/docs/guides/status-codes/
const INVALID_ARGUMENT = 3
const DEADLINE_EXCEEDED = 4
const NOT_FOUND = 5
const PERMISSION_DENIED = 7
const FAILED_PRECONDITION = 9
const UNAVAILABLE = 14
const UNAUTHENTICATED = 16

/** @returns what makes calls: each a few times at most, and none while it is known that it would fail. */
export function createKmsCalls({
  open,
  now,
  deadlineMs = 10_000,
  probeEveryMs = 30_000,
}: KmsCallOptions): <A, T>(call: KmsCall<A, T>) => Promise<T> {
  const circuit = createCircuit({ now, probeEveryMs })
  // The client repeats by itself for ten minutes unless it is told not to.
  const options: KmsSendOptions = { timeout: deadlineMs, retry: null }
  let opened: Promise<KmsClient> | undefined

  const ready = async (): Promise<KmsClient> => {
    opened ??= Promise.resolve().then(open)
    const mine = opened
    try {
      const client = await mine
      // Left to do this by itself, a client without credentials ends the process with an unhandled rejection.
      await client.initialize()
      return client
    } catch (error) {
      // It remembers that it failed, so it would never work again.
      if (opened === mine) opened = undefined
      throw error
    }
  }

  const attempt = async <A, T>(call: KmsCall<A, T>): Promise<Outcome<T>> => {
    const [answer] = await call.send(await ready(), options)
    const value = call.read(answer)
    return value === null ? damaged : { kind: 'done', value }
  }

  const attempts = async <A, T>(call: KmsCall<A, T>, left: number): Promise<Outcome<T>> => {
    const { outcome, again } = await attempt(call).then(
      (made) => ({ outcome: made, again: made === damaged }),
      (error: unknown) => ({ outcome: fault(call, error), again: isWorthAgain(error) }),
    )
    return again && left > 1 ? attempts(call, left - 1) : outcome
  }

  return async (call) => {
    const places = [EVERYTHING, call.operation, ...(call.kekId === undefined ? [] : [call.kekId])]
    return circuit.run(places, async () => attempts(call, ATTEMPTS))
  }
}

/** A bit that was flipped on the way there makes a request invalid; a connection that has gone stale is made anew. */
function isWorthAgain(error: unknown): boolean {
  const code = codeOf(error)
  return code === INVALID_ARGUMENT || code === UNAVAILABLE
}

function fault<A, T>({ operation, kekId, invalid }: KmsCall<A, T>, cause: unknown): Outcome<T> {
  const unavailable = (place: string, message: string): Outcome<T> => ({
    kind: 'unavailable',
    place,
    message,
    cause,
  })
  switch (codeOf(cause)) {
    case INVALID_ARGUMENT:
      return invalid ?? unavailable(operation, 'Cloud KMS does not take what it was asked')
    case FAILED_PRECONDITION:
      return unavailable(kekId ?? operation, 'The key in Cloud KMS is disabled or destroyed')
    case NOT_FOUND:
      return unavailable(operation, 'Cloud KMS does not know the key')
    case PERMISSION_DENIED:
    case UNAUTHENTICATED:
      return unavailable(operation, 'Cloud KMS does not let Waybill use the key')
    case DEADLINE_EXCEEDED:
      return unavailable(EVERYTHING, 'Cloud KMS did not answer in time')
    default:
      return unavailable(EVERYTHING, 'Cloud KMS cannot be reached')
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
