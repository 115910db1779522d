import type { status } from '@grpc/grpc-js'

/** What a gRPC method throws to be answered with a status instead of a message. */
export interface Refusal extends Error {
  readonly code: status
  readonly details: string
}

/** @returns an error that gRPC sends as it is. */
export function refusal(code: status, details: string): Refusal {
  return Object.assign(new Error(details), { code, details })
}
