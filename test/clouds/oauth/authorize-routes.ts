import type { Answer, Call, Route } from '../call.ts'
import { refusal } from '../call.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import type { Client } from './clients.ts'
import { consentPage } from './consent-page.ts'
import type { Person } from './people.ts'
import type { CallbackRefusal } from './provider.ts'
import { scopeList } from './provider.ts'

/** What a good authorization request asks for. */
interface Asked {
  readonly client: Client
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly prompts: readonly string[]
  readonly hinted: Person | undefined
  /** Who may come in here. */
  readonly people: readonly Person[]
}

/** What a visitor of the page decided. */
interface Decision {
  readonly person: Person
  readonly isAllowed: boolean
  readonly scopes: readonly string[]
}

/** The authorization endpoint (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 9207): the page, and what it posts. */
export function authorizeRoutes(server: AuthorizationServer): readonly Route[] {
  const { provider } = server

  /** Throws what a request that is not good is answered with. */
  function read(call: Call): Asked {
    const { query } = call
    const client = server.clients.find(query.get('client_id') ?? '')
    if (client === undefined) throw refusal(provider.refusePage('client-unknown'))
    const redirectUri = query.get('redirect_uri')
    // An error must not be sent to an address that nobody registered: RFC 6749 §4.1.2.1.
    if (redirectUri === null || !client.redirectUris.includes(redirectUri))
      throw refusal(provider.refusePage('redirect-uri'))
    const refuse = (reason: CallbackRefusal) => refusal(refused(call, redirectUri, reason))
    if (query.get('response_type') !== 'code') throw refuse('response-type')
    const scopes = provider.readScopes(query.get('scope'))
    if (scopes.length === 0) throw refuse('scope-missing')
    const challenge = query.get('code_challenge')
    const isPkceBad = challenge !== null && query.get('code_challenge_method') !== 'S256'
    if (isPkceBad || (challenge === null && client.secret === null))
      throw refuse('challenge-method')
    const people = server.people
      .all()
      .filter((person) => person.isSuspended !== true && provider.admits?.(person, call) !== false)
    const hint = query.get('login_hint')
    const hinted = hint === null ? undefined : server.people.find(hint)
    const prompts = scopeList(query.get('prompt'))
    return { client, redirectUri, scopes, prompts, people, hinted }
  }

  function isCovered({ client, scopes }: Asked, person: Person): boolean {
    const granted = server.grants.of(client.id, person.id).flatMap((grant) => grant.scopes)
    return scopes.every((scope) => granted.includes(scope))
  }

  function redirect(
    call: Call,
    redirectUri: string,
    parameters: Readonly<Record<string, string>>,
  ): Answer {
    const location = new URL(redirectUri)
    const fault = call.fault?.id
    const state = fault === 'oauth.wrong_state' ? 'of-another-visit' : call.query.get('state')
    const iss = fault === 'oauth.wrong_iss' ? 'https://issuer.example' : provider.callbackIssuer
    if (state !== null) location.searchParams.set('state', state)
    if (iss !== null && fault !== 'oauth.no_iss') location.searchParams.set('iss', iss)
    for (const [name, value] of Object.entries(parameters)) location.searchParams.set(name, value)
    return { status: call.method === 'POST' ? 303 : 302, headers: { location: location.href } }
  }

  function refused(call: Call, redirectUri: string, reason: CallbackRefusal): Answer {
    return redirect(call, redirectUri, provider.refuseCallback(reason))
  }

  function decided(call: Call, asked: Asked, { person, isAllowed, scopes }: Decision): Answer {
    const { client, redirectUri, prompts } = asked
    if (!isAllowed) return refused(call, redirectUri, 'denied')
    const isOld = isCovered(asked, person) && !prompts.includes('consent')
    const grant = server.grants.grant(client.id, person.id, scopes, provider.oneGrant)
    const isIncremental = call.query.get('include_granted_scopes') === 'true'
    const given = isIncremental && provider.oneGrant ? grant.scopes : scopes
    const code = server.grants.addCode({
      grant,
      scopes: given,
      redirectUri,
      challenge: call.query.get('code_challenge'),
      nonce: call.query.get('nonce'),
      offline:
        provider.isOffline(call.query, given) && !(isOld && provider.refreshTokenNeedsConsent),
      expires: server.now() + server.lifetimes.code * 1000,
    })
    return redirect(call, redirectUri, {
      code: code.code,
      ...provider.callback(person, given, call),
    })
  }

  /** What the person ticked, with what cannot be unticked. */
  function ticked(asked: Asked, isTicked: (scope: string) => boolean): readonly string[] {
    return asked.scopes.filter(
      (scope) => !provider.granular || provider.isNeeded(scope) || isTicked(scope),
    )
  }

  function visit(call: Call): Answer {
    const asked = read(call)
    const { redirectUri, people, hinted, scopes } = asked
    const first = hinted ?? people[0]
    if (asked.prompts.includes('none')) {
      if (first === undefined || (hinted === undefined && people.length > 1))
        return refused(call, redirectUri, 'login-required')
      return isCovered(asked, first)
        ? decided(call, asked, { person: first, isAllowed: true, scopes })
        : refused(call, redirectUri, 'consent-required')
    }
    const preset = server.consents.take()
    if (preset === null)
      return consentPage({
        provider: provider.title,
        clientId: asked.client.id,
        people,
        chosen: first,
        scopes: scopes.map((name) => ({
          name,
          mayBeUnticked: provider.granular && !provider.isNeeded(name),
        })),
      })
    const person = preset.as === undefined ? first : server.people.find(preset.as)
    if (person === undefined || !people.includes(person))
      throw new Error('the next visitor has no account here')
    const unticked = preset.untick ?? []
    return decided(call, asked, {
      person,
      isAllowed: preset.decision === 'allow',
      scopes: ticked(asked, (scope) => !unticked.includes(scope)),
    })
  }

  async function decide(call: Call): Promise<Answer> {
    const asked = read(call)
    const form = new URLSearchParams((await call.body(65_536)).toString())
    const person = asked.people.find(({ id }) => id === form.get('person'))
    if (person === undefined) return { status: 400, body: 'Choose an account.' }
    return decided(call, asked, {
      person,
      isAllowed: form.get('decision') === 'allow',
      scopes: ticked(asked, (scope) => form.getAll('scope').includes(scope)),
    })
  }

  const common = { kind: 'token', path: provider.authorizePath } as const
  return [
    { ...common, name: `${provider.name}.authorize`, method: 'GET', handle: visit },
    { ...common, name: `${provider.name}.decide`, method: 'POST', handle: decide },
  ]
}
