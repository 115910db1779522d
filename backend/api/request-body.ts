import express, { type Request, type Response } from 'express'
import { WaybillError } from '../../shared/errors.ts'
import { parseStrictJson } from './strict-json.ts'

const raw = express.raw({ limit: '64kb', inflate: false, type: () => true })

/**
 * Reads a request's JSON body, at most 64 KiB. Called by a route after it knows who asks, so that a stranger's body is
 * never held in memory.
 *
 * @returns the value, or undefined if there is no body
 * @throws WaybillError `invalid_request` if it is not JSON or not said to be; an HTTP error of Express's reader
 */
export async function readJson(request: Request, response: Response): Promise<unknown> {
  await new Promise<void>((resolve, reject) => {
    raw(request, response, (error?: unknown) => {
      if (error instanceof Error) reject(error)
      else resolve()
    })
  })
  const body: unknown = request.body
  if (!(body instanceof Uint8Array) || body.length === 0) return undefined
  if (request.is('application/json') !== 'application/json')
    throw new WaybillError('invalid_request', 'Send the body as application/json.')
  return parseStrictJson(body)
}
