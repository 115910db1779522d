import { z } from 'zod'
import type { Rights } from '../rights/rights.ts'
import { nothing, publicRoute, route, type Route } from './route.ts'
import { eraseRequest, id } from './schemas.ts'

/** @returns the routes by which a person gets all that is kept about them, and has it erased. */
export function rightsRoutes(rights: Omit<Rights, 'proceed'>): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/me/export',
      name: 'exportMe',
      summary: 'All that is kept about the person, opened, without tokens.',
      params: nothing,
      query: nothing,
      body: nothing,
      success: { status: 200, shape: 'ExportLine', lines: true },
      errors: ['key_unavailable', 'frozen'],
      handle: async ({ user }) => ({ lines: rights.export(user) }),
    }),
    route({
      method: 'post',
      path: '/v1/me/erase/ask',
      name: 'askToEraseMe',
      summary: 'Gives the code with which the person says that they mean it, good for 10 minutes.',
      params: nothing,
      query: nothing,
      body: nothing,
      success: { status: 201, shape: 'EraseCode' },
      errors: ['frozen', 'body_too_large'],
      handle: async ({ user }) => ({ json: await rights.eraseAsk(user) }),
    }),
    route({
      method: 'post',
      path: '/v1/me/erase',
      name: 'eraseMe',
      summary:
        'Erases the person, for good: begins at once, and goes on by itself. The secret for the certificate is said only here.',
      params: nothing,
      query: nothing,
      body: eraseRequest,
      success: { status: 200, shape: 'ErasureBegun' },
      errors: ['frozen', 'key_unavailable', 'body_too_large'],
      handle: async ({ user, body }) => ({ json: await rights.erase(user, body.code) }),
    }),
    publicRoute({
      method: 'get',
      path: '/v1/certificates/:id',
      name: 'getCertificate',
      summary: 'How far an erasure has come, and its certificate, for who has the secret; 30 days.',
      params: z.strictObject({ id }),
      query: z.strictObject({ secret: z.string().max(100).exactOptional() }),
      body: nothing,
      success: { status: 200, shape: 'Erasure' },
      errors: ['not_found', 'store_unavailable'],
      handle: async ({ params, query }) => ({
        json: await rights.certificate(params.id, query.secret ?? ''),
      }),
    }),
  ]
}
