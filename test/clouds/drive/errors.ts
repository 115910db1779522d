import type { Answer, Refusal } from '../call.ts'
import { refusal } from '../call.ts'

/** Where in a request the mistake is. */
export interface ErrorPlace {
  readonly location: string
  readonly locationType: 'parameter' | 'header'
}

/** Google's error document, https://developers.google.com/workspace/drive/api/guides/handle-errors. */
export function googleError(
  status: number,
  reason: string,
  message: string,
  place?: ErrorPlace,
  domain = 'global',
): Answer {
  return {
    status,
    json: { error: { code: status, message, errors: [{ message, domain, reason, ...place }] } },
  }
}

/** The same, to be thrown. */
export function googleRefusal(...facts: Parameters<typeof googleError>): Refusal {
  return refusal(googleError(...facts))
}

/** 400 for a parameter. */
export function invalidParameter(
  name: string,
  message = 'Invalid Value',
  reason = 'invalid',
): Refusal {
  return googleRefusal(400, reason, message, { location: name, locationType: 'parameter' })
}

/** 404 for an item that is not there for this caller. */
export function fileNotFound(fileId: string): Refusal {
  const place = { location: 'fileId', locationType: 'parameter' } as const
  return googleRefusal(404, 'notFound', `File not found: ${fileId}.`, place)
}

/** 404 for a shared drive. */
export function sharedDriveNotFound(driveId: string): Refusal {
  const place = { location: 'driveId', locationType: 'parameter' } as const
  return googleRefusal(404, 'notFound', `Shared drive not found: ${driveId}`, place)
}
