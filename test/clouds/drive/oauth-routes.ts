import type { Route } from '../call.ts'
import type { Tokens } from '../tokens.ts'

/**
 * The rest of Google's OAuth beside the token endpoint: a consent page on which the person has already
 * agreed, and revocation (https://developers.google.com/identity/protocols/oauth2/web-server).
 */
export function oauthRoutes(tokens: Tokens): readonly Route[] {
  return [
    {
      name: 'google.authorize',
      kind: 'token',
      method: 'GET',
      path: '/o/oauth2/v2/auth',
      handle(call) {
        const back = call.query.get('redirect_uri')
        if (back === null || call.query.get('client_id') !== tokens.account.clientId)
          return { status: 400, body: 'Error 400: invalid_request' }
        const location = new URL(back)
        location.searchParams.set('code', tokens.issueCode())
        location.searchParams.set('scope', call.query.get('scope') ?? '')
        const state = call.query.get('state')
        if (state !== null) location.searchParams.set('state', state)
        return { status: 302, headers: { location: location.href } }
      },
    },
    {
      name: 'google.revoke',
      kind: 'token',
      method: 'POST',
      path: '/revoke',
      async handle(call) {
        const form = new URLSearchParams((await call.body(65_536)).toString())
        const revoked = tokens.revoke(form.get('token') ?? call.query.get('token') ?? '')
        if (revoked) return { json: {} }
        return {
          status: 400,
          json: { error: 'invalid_token', error_description: 'Token expired or revoked' },
        }
      },
    },
  ]
}
