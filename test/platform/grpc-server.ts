import { createRequire } from 'node:module'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'

/** A gRPC server that listens on 127.0.0.1. */
export interface StartedGrpc {
  readonly port: number
  /** Ends every connection and stops listening. */
  close(): Promise<void>
}

const require = createRequire(import.meta.url)

/**
 * Serves gRPC without TLS on a free port, from the protos that ship in an official client package.
 *
 * @param protosJson the package's file of descriptors, such as `@google-cloud/kms/build/protos/protos.json`
 * @param services an implementation for each full name of a service, such as
 *   `google.cloud.kms.v1.KeyManagementService`; its methods are named in camelCase. In requests and answers fields are in
 *   camelCase, `int64` and enum values strings, bytes Buffers, and what was not sent has its default.
 * @throws Error for a service that is not in the protos.
 */
export async function startGrpc(
  protosJson: string,
  services: Readonly<Record<string, UntypedServiceImplementation>>,
): Promise<StartedGrpc> {
  const options = { longs: String, enums: String, defaults: true, oneofs: true, bytes: Buffer }
  const protos = fromJSON(require(protosJson), options)
  const server = new Server()
  for (const [name, implementation] of Object.entries(services)) {
    const definition = protos[name]
    if (definition === undefined || 'format' in definition)
      throw new Error(`${name} is not a service of ${protosJson}`)
    server.addService(definition, implementation)
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound)
      else reject(error)
    })
  })
  return {
    port,
    // Nobody waits for calls under way: a stand-in is closed when its test is over.
    close: async () => server.forceShutdown(),
  }
}
