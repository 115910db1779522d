import type { Call } from '../call.ts'

/** A program that is registered at a provider. */
export interface Client {
  readonly id: string
  /** Null for a public client, which has to use PKCE. */
  readonly secret: string | null
  /** Compared character by character. */
  readonly redirectUris: readonly string[]
}

/** The programs that are registered at one provider. */
export interface Clients {
  /** Adds a client, or replaces the one with this id. */
  register(client: Client): void
  /** Registers one more place to come back to. Throws when nobody has this id. */
  addRedirectUri(clientId: string, uri: string): void
  find(id: string): Client | undefined
}

/** How a client said who it is. */
export interface Credentials {
  readonly id: string | null
  readonly secret: string | null
  readonly method: 'basic' | 'post'
  /** True when the body names the client, too. */
  readonly twice: boolean
}

/** No clients yet. */
export function createClients(): Clients {
  const clients = new Map<string, Client>()
  return {
    register: (client) => void clients.set(client.id, client),
    addRedirectUri(clientId, uri) {
      const client = clients.get(clientId)
      if (client === undefined) throw new Error('no client has this id')
      clients.set(clientId, { ...client, redirectUris: [...client.redirectUris, uri] })
    },
    find: (id) => clients.get(id),
  }
}

/** Reads `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1). */
export function credentialsOf(call: Call, form: URLSearchParams): Credentials {
  const basic = /^Basic (.+)$/i.exec(call.headers.authorization ?? '')?.[1]
  const inBody = form.get('client_id')
  if (basic === undefined)
    return { id: inBody, secret: form.get('client_secret'), method: 'post', twice: false }
  const text = Buffer.from(basic, 'base64').toString()
  const colon = text.indexOf(':')
  const [id, secret] = [text.slice(0, colon), text.slice(colon + 1)].map(formDecoded)
  return { id: id ?? null, secret: secret ?? null, method: 'basic', twice: inBody !== null }
}

/** Id and secret are form-encoded before they go into the header. */
function formDecoded(text: string): string {
  return new URLSearchParams(`value=${text}`).get('value') ?? ''
}
