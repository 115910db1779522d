import { z } from 'zod'
import type { ApiKeyView } from '../../shared/api-key.ts'
import type { ApiKeys } from '../records/api-keys.ts'
import { nothing, route, type Route } from './route.ts'
import { apiKeyRequest, id } from './schemas.ts'

/** @returns the routes by which a person, and none of their keys, manages the keys of the API. */
export function apiKeyRoutes(
  apiKeys: Pick<ApiKeys, 'create' | 'list' | 'revoke'>,
): readonly Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/keys',
      name: 'createApiKey',
      summary: 'Creates an API key. This answer shows it, and nothing will again.',
      params: nothing,
      query: nothing,
      body: apiKeyRequest,
      success: { status: 201, shape: 'NewApiKey' },
      errors: ['wrong_state', 'body_too_large'],
      handle: async ({ user, body }) => {
        const made = await apiKeys.create(user, body)
        return { json: { key: made.key, ...shown(made) } }
      },
    }),
    route({
      method: 'get',
      path: '/v1/keys',
      name: 'listApiKeys',
      summary: 'Lists the API keys that are good.',
      params: nothing,
      query: nothing,
      body: nothing,
      success: { status: 200, shape: 'ApiKeyList' },
      errors: [],
      handle: async ({ user }) => ({ json: { keys: (await apiKeys.list(user)).map(shown) } }),
    }),
    route({
      method: 'delete',
      path: '/v1/keys/:id',
      name: 'revokeApiKey',
      summary: 'Revokes an API key: it is taken no more.',
      params: z.strictObject({ id }),
      query: nothing,
      body: nothing,
      success: { status: 200, shape: 'ApiKeyList' },
      errors: ['not_found'],
      handle: async ({ user, params }) => {
        await apiKeys.revoke(user, params.id)
        return { json: { keys: (await apiKeys.list(user)).map(shown) } }
      },
    }),
  ]
}

/** Picked one by one: the key itself must never slip out with it. */
function shown(view: ApiKeyView): ApiKeyView {
  const { id: own, name, scopes, from, createdAt, expiresAt, lastUsedAt } = view
  return { id: own, name, scopes, from, createdAt, expiresAt, lastUsedAt }
}
