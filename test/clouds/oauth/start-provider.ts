import { createCallLog } from '../call-log.ts'
import type { CallLog } from '../call-log.ts'
import type { Answer, Route } from '../call.ts'
import { createFaults } from '../faults.ts'
import type { Faults } from '../faults.ts'
import { serve } from '../http-server.ts'
import type { CloudOptions } from '../simulated-cloud.ts'
import { createTokens } from '../tokens.ts'
import type { Account, Tokens } from '../tokens.ts'
import { authorizeRoutes } from './authorize-routes.ts'
import { createAuthorizationServer } from './authorization-server.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { box, boxRoutes } from './box.ts'
import { oauthControl } from './control.ts'
import type { OauthControl } from './control.ts'
import { graphRoutes } from './graph-routes.ts'
import { microsoft } from './microsoft.ts'
import type { Person } from './people.ts'
import type { Provider } from './provider.ts'

/** A provider of which only the sign-in is simulated, and whose account it is. */
export interface SimulatedProvider {
  /** Base URL, without a slash at the end. */
  readonly url: string
  /** Where the token endpoint is. */
  readonly tokenUrl: string
  readonly account: Account
  readonly tokens: Tokens
  readonly oauth: OauthControl
  readonly calls: CallLog
  readonly faults: Faults
  /** While true, every call is reset, as if the network were gone. */
  setOffline(offline: boolean): void
  close(): Promise<void>
}

interface Parts {
  readonly provider: Provider
  readonly routes: (server: AuthorizationServer) => readonly Route[]
  readonly person: Person
  readonly scopes: readonly string[]
  readonly unknownRoute: () => Answer
}

/** Starts a simulated Box: authorization, tokens, revocation and `users/me` on one port. */
export function startBox(options: CloudOptions = {}): Promise<SimulatedProvider> {
  return start(options, {
    provider: box,
    routes: boxRoutes,
    person: { id: '11446498', email: 'owner@box.example', name: 'Box Owner' },
    scopes: ['root_readwrite'],
    unknownRoute: () => ({ status: 404, json: { type: 'error', status: 404, code: 'not_found' } }),
  })
}

/** Starts a simulated Microsoft: authorization and tokens of every tenant, and Graph's `me`, on one port. */
export function startMicrosoft(options: CloudOptions = {}): Promise<SimulatedProvider> {
  return start(options, {
    provider: microsoft,
    routes: graphRoutes,
    person: {
      id: '8d0b5f0e-6f3b-4bd1-9d5c-1f2a3b4c5d6e',
      email: 'owner@contoso.example',
      name: 'Contoso Owner',
      organization: '3f5a7c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b',
    },
    scopes: ['Files.ReadWrite', 'User.Read', 'openid', 'profile', 'email', 'offline_access'],
    unknownRoute: () => ({ status: 404 }),
  })
}

async function start(options: CloudOptions, parts: Parts): Promise<SimulatedProvider> {
  const { provider, person, scopes } = parts
  const { now = Date.now, redirectUris = [] } = options
  const calls = createCallLog()
  const faults = createFaults(provider.name, options.faults)
  const server = createAuthorizationServer(provider, { prefix: `${provider.name}.token`, now })
  const tokens = createTokens(server, { person, scopes, redirectUris })
  const served = await serve({
    port: options.port ?? 0,
    latencyMs: options.latencyMs ?? 0,
    calls,
    faults,
    unknownRoute: parts.unknownRoute,
    routes: [tokens.route, ...authorizeRoutes(server), ...parts.routes(server)],
  })
  return {
    url: served.url,
    tokenUrl: `${served.url}${provider.tokenPath.replace('{tenant}', 'common')}`,
    account: tokens.account,
    tokens,
    oauth: oauthControl(server, tokens.account.clientId),
    calls,
    faults,
    setOffline: served.setOffline,
    close: served.close,
  }
}
