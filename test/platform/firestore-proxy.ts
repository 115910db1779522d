import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Client, Metadata, Server, ServerCredentials, credentials, status } from '@grpc/grpc-js'
import type {
  MethodDefinition,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceError,
  UntypedServiceImplementation,
  sendUnaryData,
} from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import { noOperations, operationsOf, plus } from './firestore-operations.ts'
import type { Operations } from './firestore-operations.ts'
import { createOpenTransactions } from './firestore-open-transactions.ts'
import type { OpenTransaction } from './firestore-open-transactions.ts'

/** A call on its way to Firestore: a method, such as `Commit`, and what was sent, fields in camelCase. */
export interface FirestoreCall {
  readonly method: string
  readonly request: unknown
}

/**
 * What becomes of a call: Firestore gets it and its answer comes back, it is refused with a gRPC status before Firestore
 * sees it, or it is carried out and the answer is lost.
 */
export type Fate = 'pass' | 'lose-answer' | { readonly refuse: status; readonly says?: string }

/** Stands before an emulator and counts what Firestore would bill, whoever calls: any process whose
 * `FIRESTORE_EMULATOR_HOST` names it. */
export interface FirestoreProxy {
  /** Host and port. */
  readonly host: string
  /** Everything so far, repetitions of the client among it. */
  billed(): Operations
  /** Every call so far, in order. */
  calls(): readonly FirestoreCall[]
  /** From now on decides on each call; null lets all pass. */
  decide(fate: ((call: FirestoreCall) => Fate) | null): void
  /**
   * Nobody gets an answer any more. Transactions that were begun here and not ended are rolled back: Firestore takes them
   * for idle by itself, and lets go of what they locked, after a minute.
   * https://cloud.google.com/firestore/quotas#writes_and_transactions
   */
  close(): Promise<void>
}

type Raw = Buffer
type AnyMethod = MethodDefinition<object, object>

const forwarded = ['authorization', 'google-cloud-resource-prefix', 'x-goog-request-params']
const anySize = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 }
const asItIs = (raw: Raw): Raw => raw
const lost: Partial<ServiceError> = { code: status.UNAVAILABLE, details: 'the answer was lost' }

/** @param emulator host and port of the emulator that answers */
export async function startFirestoreProxy(emulator: string): Promise<FirestoreProxy> {
  const client = new Client(emulator, credentials.createInsecure(), anySize)
  const server = new Server(anySize)
  const calls: FirestoreCall[] = []
  const transactions = createOpenTransactions()
  const underWay = new Set<object>()
  let billed = noOperations
  let fateOf: ((call: FirestoreCall) => Fate) | null = null

  function begin(method: string, definition: AnyMethod, raw: Raw) {
    const call: FirestoreCall = { method, request: definition.requestDeserialize(raw) }
    calls.push(call)
    const bill = (answers: readonly Raw[]): void => {
      const read = answers.map((answer) => definition.responseDeserialize(answer))
      billed = plus(billed, operationsOf(method, call.request, read))
      transactions.answered(call.request, read)
    }
    const fate = fateOf?.(call) ?? 'pass'
    if (typeof fate !== 'object') transactions.sent(method, call.request)
    return { fate, bill, call }
  }

  const unary =
    (method: string, definition: AnyMethod) =>
    (call: ServerUnaryCall<Raw, Raw>, answer: sendUnaryData<Raw>): void => {
      const { fate, bill, call: sent } = begin(method, definition, call.request)
      if (typeof fate === 'object') return answer(refusalOf(fate))
      const headers = headersOf(call.metadata)
      underWay.add(sent)
      client.makeUnaryRequest(
        definition.path,
        asItIs,
        asItIs,
        call.request,
        headers,
        (error, got) => {
          underWay.delete(sent)
          if (error === null && got !== undefined) bill([got])
          if (error !== null) answer(error)
          else if (fate === 'lose-answer') answer(lost)
          else answer(null, got)
        },
      )
    }

  const streaming =
    (method: string, definition: AnyMethod) =>
    (call: ServerWritableStream<Raw, Raw>): void => {
      const { fate, bill, call: sent } = begin(method, definition, call.request)
      if (typeof fate === 'object') return void call.emit('error', refusalOf(fate))
      const headers = headersOf(call.metadata)
      const answers: Raw[] = []
      underWay.add(sent)
      client
        .makeServerStreamRequest(definition.path, asItIs, asItIs, call.request, headers)
        .on('data', (raw: Raw) => answers.push(raw))
        .on('error', (error) => {
          underWay.delete(sent)
          call.emit('error', error)
        })
        .on('end', () => {
          underWay.delete(sent)
          // Only now, so that whoever has its answer finds it billed.
          bill(answers)
          if (fate === 'lose-answer') call.emit('error', lost)
          else {
            for (const raw of answers) call.write(raw)
            call.end()
          }
        })
    }

  const implementation: UntypedServiceImplementation = {}
  const service: Record<string, MethodDefinition<Raw, Raw>> = {}
  const methods = firestoreMethods()
  for (const [method, definition] of Object.entries(methods)) {
    if (definition.requestStream) continue
    const { path, requestStream, responseStream } = definition
    const raw = { requestSerialize: asItIs, requestDeserialize: asItIs }
    const answers = { responseSerialize: asItIs, responseDeserialize: asItIs }
    service[method] = { path, requestStream, responseStream, ...raw, ...answers }
    implementation[method] = (responseStream ? streaming : unary)(method, definition)
  }
  server.addService(service, implementation)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return {
    host: `127.0.0.1:${port}`,
    billed: () => billed,
    calls: () => calls,
    decide: (fate) => {
      fateOf = fate
    },
    close: async () => {
      server.forceShutdown()
      while (underWay.size > 0) await wait(5)
      await Promise.all(transactions.all().map(rollBack))
      client.close()
    },
  }

  async function rollBack(one: OpenTransaction): Promise<void> {
    const definition = methods['Rollback']
    if (definition === undefined) throw new Error('no Rollback in the protos')
    const headers = new Metadata()
    headers.set('google-cloud-resource-prefix', one.database)
    await new Promise<void>((resolve) => {
      const { path, requestSerialize } = definition
      // What it answers for one that has ended meanwhile does not matter.
      client.makeUnaryRequest(path, requestSerialize, asItIs, one, headers, () => resolve())
    })
  }
}

// The package hides the file from `require`.
function firestoreMethods(): Readonly<Record<string, AnyMethod>> {
  const main = createRequire(import.meta.url).resolve('@google-cloud/firestore')
  const json: Parameters<typeof fromJSON>[0] = JSON.parse(
    readFileSync(join(dirname(main), '../protos/v1.json'), 'utf8'),
  )
  const service = fromJSON(json, { longs: String, enums: String })['google.firestore.v1.Firestore']
  if (service === undefined || 'format' in service) throw new Error('no Firestore in its protos')
  return service
}

function refusalOf(fate: Exclude<Fate, string>): Partial<ServiceError> {
  return { code: fate.refuse, details: fate.says ?? 'refused by the proxy' }
}

function headersOf(metadata: Metadata): Metadata {
  const headers = new Metadata()
  for (const name of forwarded) for (const value of metadata.get(name)) headers.add(name, value)
  return headers
}
