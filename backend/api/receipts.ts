import { z } from 'zod'
import type { Jobs } from '../run/jobs.ts'
import { nothing, route, type Route } from './route.ts'
import { id, wholeNumber } from './schemas.ts'

/** @returns the route by which a person gets the receipt of a run. */
export function receiptRoutes(jobs: Pick<Jobs, 'receipt'>): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/jobs/:id/receipt',
      name: 'getReceipt',
      scope: 'jobs:read',
      summary:
        'The receipt of the newest run, or of the one named: a line for each item, the summary last.',
      params: z.strictObject({ id }),
      query: z.strictObject({ run: wholeNumber(1, 999_999_999).exactOptional() }),
      body: nothing,
      success: { status: 200, shape: 'ReceiptEntry', lines: true },
      errors: ['not_found', 'wrong_state'],
      handle: async ({ user, params, query }) => ({
        lines: jobs.receipt(user, params.id, query.run),
      }),
    }),
  ]
}
