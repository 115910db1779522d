import type { AuthorizationServer } from './authorization-server.ts'
import type { Grant } from './grants.ts'
import type { Person } from './people.ts'

interface IdTokenWish {
  readonly person: Person
  readonly grant: Grant
  readonly scopes: readonly string[]
  readonly nonce: string | null
  readonly accessHash: string
  /** The id of a fault that makes it wrong, or null. */
  readonly fault: string | null
}

/** The claims of a token that somebody else made, or that was made for somebody else. */
const wrong: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'oidc.wrong_issuer': { iss: 'https://issuer.example' },
  'oidc.wrong_audience': { aud: 'another-client', azp: 'another-client' },
  'oidc.wrong_nonce': { nonce: 'of-another-visit' },
  'oidc.wrong_subject': { sub: 'another-person', oid: 'another-person' },
}

/** An ID token, null when there is none for these scopes. */
export async function idTokenFor(
  server: AuthorizationServer,
  { person, grant, scopes, nonce, accessHash, fault }: IdTokenWish,
): Promise<string | null> {
  const facts = server.provider.idToken(person, grant, scopes)
  if (facts === null) return null
  const late = fault === 'oidc.expired' ? 2 * 3600 : 0
  const seconds = Math.floor(server.now() / 1000) - late
  const payload = {
    aud: grant.clientId,
    ...facts,
    at_hash: accessHash,
    ...(nonce === null ? {} : { nonce }),
    iat: seconds,
    exp: seconds + 3600,
    ...wrong[fault ?? ''],
  }
  return server.keys.sign(payload, fault === 'oidc.foreign_key')
}
