import { z } from 'zod'
import type { AuditLog } from '../audit/read-log.ts'
import { nothing, route, type Route } from './route.ts'
import { wholeNumber } from './schemas.ts'

const USUAL_PAGE = 50

/** @returns the routes by which a person reads the log of what was done in their tenant. */
export function auditRoutes(audit: AuditLog): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/audit',
      name: 'listActs',
      scope: 'audit:read',
      summary: 'Lists what was done, oldest first, from a number on.',
      params: nothing,
      query: z.strictObject({
        from: wholeNumber(0, 999_999_999).exactOptional(),
        limit: wholeNumber(1, 100).exactOptional(),
      }),
      body: nothing,
      success: { status: 200, shape: 'AuditPage' },
      errors: ['key_unavailable'],
      handle: async ({ user, query: { from = 0, limit = USUAL_PAGE } }) => ({
        json: await audit.list(user, { from, limit }),
      }),
    }),
    route({
      method: 'get',
      path: '/v1/audit/export',
      name: 'exportActs',
      scope: 'audit:read',
      summary: 'The whole log up to its newest signed head, to be verified without Waybill.',
      params: nothing,
      query: nothing,
      body: nothing,
      success: { status: 200, shape: 'AuditExport', lines: true },
      errors: ['key_unavailable', 'forbidden'],
      handle: async ({ user }) => ({ lines: audit.export(user) }),
    }),
  ]
}
