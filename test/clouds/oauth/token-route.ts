import { createHash } from 'node:crypto'
import type { Answer, Call, Route } from '../call.ts'
import { refusal } from '../call.ts'
import { challengeOf } from './authorization-server.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { credentialsOf } from './clients.ts'
import type { Client } from './clients.ts'
import type { Grant, RefreshToken } from './grants.ts'
import { idTokenFor } from './id-token.ts'
import type { TokenRefusal } from './provider.ts'
import { useRefreshToken } from './refresh.ts'

/** A grant type that only one provider has. */
export type FurtherGrant = (form: URLSearchParams, call: Call) => Promise<Answer>

interface Known {
  readonly client: Client
  readonly hasSecret: boolean
}

/** The token endpoint (RFC 6749 §4.1.3 and §6, RFC 7636 §4.5). `further` are grant types by name. */
export function tokenRoute(
  server: AuthorizationServer,
  further: Readonly<Record<string, FurtherGrant>> = {},
): Route {
  const { provider, grants } = server
  const refuse = (reason: TokenRefusal) => refusal(provider.refuseToken(reason))

  function authenticate(call: Call, form: URLSearchParams): Known {
    const said = credentialsOf(call, form)
    const client = server.clients.find(said.id ?? '')
    if (client === undefined) throw refuse('client-unknown')
    if (said.twice && said.method === 'basic' && provider.name === 'dropbox')
      throw refuse('client-twice')
    if (said.secret !== null && said.secret !== client.secret) throw refuse('secret-wrong')
    return { client, hasSecret: said.secret !== null }
  }

  function needSecret({ client, hasSecret }: Known, isOptional: boolean): void {
    if (!hasSecret && client.secret !== null && !isOptional) throw refuse('secret-missing')
  }

  async function fromCode(known: Known, form: URLSearchParams, call: Call): Promise<Answer> {
    const code = grants.code(form.get('code') ?? '')
    if (code === undefined || code.grant.clientId !== known.client.id) throw refuse('code-unknown')
    needSecret(known, provider.secretOptionalWithPkce && code.challenge !== null)
    if (code.used) {
      // Somebody else may have used it: RFC 6749 §4.1.2 takes back what was issued.
      grants.endCode(code)
      throw refuse('code-used')
    }
    if (code.expires <= server.now()) throw refuse('code-expired')
    if (form.get('redirect_uri') !== code.redirectUri) throw refuse('redirect-uri')
    const verifier = form.get('code_verifier')
    if (code.challenge === null && verifier !== null) throw refuse('verifier-unasked')
    if (code.challenge !== null && verifier === null) throw refuse('verifier-missing')
    if (code.challenge !== null && challengeOf(verifier ?? '') !== code.challenge)
      throw refuse('verifier-wrong')
    code.used = true
    const { grant, scopes } = code
    const facts = { grant, scopes, code: code.code }
    const expires = server.now() + server.lifetimes.refresh * 1000
    const refresh = code.offline ? grants.addRefresh({ ...facts, expires }, !known.hasSecret) : null
    keepNewest(grant)
    return issue(call, { ...facts, refresh, shown: refresh, nonce: code.nonce, on: 'code' })
  }

  function keepNewest(grant: Grant): void {
    const live = grants
      .refreshTokens()
      .filter(
        (token) =>
          token.grant.clientId === grant.clientId &&
          token.grant.personId === grant.personId &&
          !token.revoked,
      )
    for (const token of live.slice(0, -provider.mostRefreshTokens)) token.revoked = true
  }

  async function fromRefresh(known: Known, form: URLSearchParams, call: Call): Promise<Answer> {
    const old = grants.refresh(form.get('refresh_token') ?? '')
    if (old === undefined || old.grant.clientId !== known.client.id) throw refuse('refresh-unknown')
    needSecret(known, provider.secretOptionalWithPkce && old.withoutSecret)
    const asked = form.get('scope')
    const wanted = asked === null ? old.scopes : provider.readScopes(asked)
    if (wanted.some((scope) => !old.scopes.includes(scope))) throw refuse('scope-not-granted')
    const used = useRefreshToken(server, old)
    if (typeof used === 'string') throw refuse(used)
    const scopes = asked === null ? used.scopes : wanted
    const shown = used === old ? null : used
    return issue(call, {
      grant: used.grant,
      scopes,
      code: used.code,
      refresh: used,
      shown,
      nonce: null,
      on: 'refresh',
    })
  }

  async function issue(call: Call, what: Issued): Promise<Answer> {
    const { grant, scopes, refresh, shown, on } = what
    const person = server.people.byId(grant.personId)
    if (person === undefined || person.isSuspended === true) throw refuse('person-suspended')
    const expires = server.now() + server.lifetimes.access * 1000
    const access = grants.addAccess({ grant, scopes, code: what.code, expires }, refresh)
    server.issued++
    const idToken = await idTokenFor(server, {
      person,
      grant,
      scopes,
      nonce: what.nonce,
      accessHash: halfHash(access.token),
      fault: call.fault?.id ?? null,
    })
    return {
      headers: { 'cache-control': 'no-store' },
      json: {
        access_token: access.token,
        expires_in: server.lifetimes.access,
        token_type: provider.tokenType,
        ...provider.answer(person, scopes, on),
        ...(shown === null ? {} : { refresh_token: shown.token }),
        ...(idToken === null ? {} : { id_token: idToken }),
      },
    }
  }

  return {
    name: `${provider.name}.token`,
    kind: 'token',
    method: 'POST',
    path: provider.tokenPath,
    async handle(call) {
      const form = new URLSearchParams((await call.body(65_536)).toString())
      // Dropbox's own SDK sends the parameters of a refresh in the URL.
      if (provider.name === 'dropbox')
        for (const [key, value] of call.query) form.append(key, value)
      const type = form.get('grant_type') ?? ''
      const other = further[type]
      if (other !== undefined) return other(form, call)
      const known = authenticate(call, form)
      if (type === 'authorization_code') return fromCode(known, form, call)
      if (type === 'refresh_token') return fromRefresh(known, form, call)
      throw refuse('grant-type')
    },
  }
}

interface Issued {
  readonly grant: Grant
  readonly scopes: readonly string[]
  readonly code: string | null
  /** What the access token belongs to. */
  readonly refresh: RefreshToken | null
  /** The refresh token in the answer. */
  readonly shown: RefreshToken | null
  readonly nonce: string | null
  readonly on: 'code' | 'refresh'
}

/** `at_hash`, OpenID Connect Core §3.1.3.6. */
function halfHash(token: string): string {
  return createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url')
}
