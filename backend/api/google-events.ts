import express from 'express'
import type { Request, RequestHandler, Response } from 'express'
import { jwtVerify } from 'jose'
import { z } from 'zod'
import { hasCode, type WaybillError } from '../../shared/errors.ts'
import { googleEventMs } from '../run/google-events.ts'
import type { GoogleEvent, GoogleEventKind, GoogleEvents } from '../run/google-events.ts'
import { statusOf } from './errors.ts'
import type { Gate } from './gate.ts'
import { checkShape, refusal, type IdTokenCheck, type IdTokenRules } from './id-token.ts'
import { observe, type Observing } from './serve-route.ts'
import { userIdOf } from './user-id.ts'

/** Where Google reports what happens to people's accounts. */
export const googleEventsPath = '/risc/events'

export interface GoogleEventServing extends Observing {
  /** Checks a report and says what it is; null for one that asks for nothing. Throws `unauthenticated`, `unavailable`. */
  readonly read: (token: string) => Promise<GoogleEvent | null>
  readonly googleEvents: GoogleEvents
  readonly gate?: Gate
}

const longest = 8_192
const skewMs = 60_000

const risc = 'https://schemas.openid.net/secevent/risc/event-type'
const oauth = 'https://schemas.openid.net/secevent/oauth/event-type'

const about = z.looseObject({
  subject: z
    .looseObject({ iss: z.string().exactOptional(), sub: z.string().exactOptional() })
    .exactOptional(),
  reason: z.string().exactOptional(),
})

const claims = z.looseObject({
  jti: z.string().min(1).max(500),
  iat: z.int(),
  // It tells of what has happened, so it has no end; what has one is another kind of token.
  exp: z.undefined().optional(),
  events: z.record(z.string().max(300), about),
})

/**
 * Reads Google's security event tokens (RFC 8417), as they come by Cross-Account Protection:
 * https://developers.google.com/identity/protocols/risc#validate_the_security_event_token
 */
export function createReadGoogleEvent({
  rules,
  keys,
  clock,
}: IdTokenCheck & { readonly rules: IdTokenRules }): GoogleEventServing['read'] {
  // The issuer of these has a slash at its end, which that of sign-in tokens has not.
  const issuers = rules.issuers.flatMap((issuer) => [issuer, `${issuer}/`])
  return async (token) => {
    try {
      if (token.length > longest) throw refusal()
      const kid = checkShape(token, ['JWT', 'secevent+jwt'])
      const now = clock()
      const { payload } = await jwtVerify(token, await keys.holding(kid), {
        algorithms: ['RS256'],
        issuer: issuers,
        audience: [...rules.audiences],
        requiredClaims: ['jti', 'iat', 'events'],
        currentDate: new Date(now),
      })
      const { jti, iat, events } = claims.parse(payload)
      if (iat * 1_000 > now + skewMs || iat * 1_000 < now - googleEventMs) throw refusal()
      const kinds = Object.entries(events).flatMap(([type, { reason }]) => kindOf(type, reason))
      const who = Object.values(events).find(({ subject }) => subject?.sub !== undefined)?.subject
      if (kinds.length === 0 || who?.sub === undefined) return null
      if (who.iss === undefined || !issuers.includes(who.iss)) throw refusal()
      const user = userIdOf(who.iss.replace(/\/$/, ''), who.sub)
      return { jti, user, subject: who.sub, kinds }
    } catch (error) {
      if (hasCode(error, 'unavailable')) throw error
      throw refusal()
    }
  }
}

/** What nothing is done about (that an account is enabled again, that the connection is tried) is taken all the same. */
function kindOf(type: string, reason: string | undefined): readonly GoogleEventKind[] {
  if (type === `${risc}/sessions-revoked`) return ['sessions_revoked']
  if (type === `${oauth}/tokens-revoked`) return ['tokens_revoked']
  if (type === `${risc}/account-credential-change-required`) return ['credentials_in_danger']
  if (type === `${risc}/account-disabled`)
    return [reason === 'hijacking' ? 'account_hijacked' : 'account_disabled']
  return []
}

const text = express.text({ limit: longest, inflate: false, type: () => true })

/** @returns what takes Google's reports by POST (RFC 8935): 202 for what is taken, 400 for what is no report of theirs. */
export function googleEventsHandler(serving: GoogleEventServing): RequestHandler {
  return async (request, response) => {
    const answer = async (): Promise<void> => {
      await serving.gate?.arrive(request, 'address')
      const event = await serving.read(await readText(request, response))
      if (event !== null) await serving.googleEvents.heed(event)
      response.status(202).end()
    }
    await observe(request, response, googleEventsPath, serving, answer, refuse)
  }
}

async function readText(request: Request, response: Response): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    text(request, response, (error?: unknown) => {
      if (error instanceof Error) reject(error)
      else resolve()
    })
  })
  const body: unknown = request.body
  if (typeof body !== 'string') throw refusal()
  return body.trim()
}

/** RFC 8935 §2.3 has a shape of its own for what it refuses; what went wrong with us is sent again later. */
function refuse(response: Response, error: WaybillError): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const isTheirs = statusOf(error.code) < 500 && error.code !== 'rate_limited'
  if (isTheirs)
    response
      .status(400)
      .json({ err: 'invalid_request', description: 'This is no event token for us.' })
  else response.status(statusOf(error.code)).end()
}
