import { z } from 'zod'
import type { Delegating } from '../connect/delegating.ts'
import type { Administering } from '../run/administering.ts'
import { nothing, route, type Route } from './route.ts'
import { policyChange } from '../../shared/policy-schema.ts'
import { freezeRequest, id, wholeNumber } from './schemas.ts'

const USUAL_PAGE = 50

const base = { params: nothing, query: nothing, body: nothing } as const
const refused = ['forbidden', 'connection_expired', 'settings_invalid', 'key_unavailable'] as const
const withBody = [...refused, 'body_too_large'] as const

/** @returns the routes of a domain's administrators, and that by which its people connect what they have delegated. */
export function adminRoutes(
  administering: Administering,
  delegating: Pick<Delegating, 'connect'>,
): readonly Route[] {
  return [
    route({
      ...base,
      method: 'get',
      path: '/v1/admin/policy',
      name: 'getPolicy',
      summary: 'What the domain allows its people.',
      success: { status: 200, shape: 'Policy' },
      errors: refused,
      handle: async ({ user }) => ({ json: await administering.policy(user) }),
    }),
    route({
      ...base,
      method: 'put',
      path: '/v1/admin/policy',
      name: 'setPolicy',
      summary: 'Changes what the domain allows: what is under way is stopped within 20 seconds.',
      body: policyChange,
      success: { status: 200, shape: 'Policy' },
      errors: withBody,
      handle: async ({ user, body }) => ({
        json: await administering.setPolicy(user, body.policy),
      }),
    }),
    route({
      ...base,
      method: 'get',
      path: '/v1/admin/people',
      name: 'listPeople',
      summary: 'Lists who of the domain uses Waybill, with counts only.',
      query: z.strictObject({ after: id.exactOptional(), limit: limit.exactOptional() }),
      success: { status: 200, shape: 'TenantPeople' },
      errors: refused,
      handle: async ({ user, query }) => ({
        json: await administering.people(user, { limit: USUAL_PAGE, ...query }),
      }),
    }),
    route({
      ...base,
      method: 'get',
      path: '/v1/admin/audit',
      name: 'listActsOfDomain',
      summary: 'Lists what was done in the domain, oldest first, from a number on.',
      query: z.strictObject({
        from: wholeNumber(0, 999_999_999).exactOptional(),
        limit: limit.exactOptional(),
      }),
      success: { status: 200, shape: 'TenantAuditPage' },
      errors: refused,
      handle: async ({ user, query }) => ({
        json: await administering.audit(user, { from: 0, limit: USUAL_PAGE, ...query }),
      }),
    }),
    route({
      ...base,
      method: 'post',
      path: '/v1/admin/delegation',
      name: 'connectDomain',
      summary: 'Connects the domain, or says which scope an administrator has not authorised yet.',
      success: { status: 200, shape: 'Delegation' },
      errors: withBody,
      handle: async ({ user }) => ({ json: await administering.connectDomain(user) }),
    }),
    ...freezes(administering),
    route({
      ...base,
      method: 'post',
      path: '/v1/connections/delegated',
      name: 'connectDelegated',
      summary: 'Connects the person’s own Drive, as their administrator has let Waybill read it.',
      success: { status: 201, shape: 'Connection' },
      errors: [...withBody, 'account_changed', 'policy_refused', 'frozen'],
      handle: async ({ user }) => ({ json: await delegating.connect(user) }),
    }),
  ]
}

const limit = wholeNumber(1, 100)

function freezes(administering: Administering): readonly Route[] {
  return (['freeze', 'unfreeze'] as const).map((act) =>
    route({
      ...base,
      method: 'post',
      path: `/v1/admin/${act}`,
      name: `${act}Others`,
      summary:
        act === 'freeze'
          ? 'Stops everything of a person of the domain, or of all; they cannot end it themselves.'
          : 'Ends a freeze: what it stopped goes on.',
      body: freezeRequest,
      success: { status: 200, shape: 'Freeze' },
      errors: [...withBody, 'not_found'],
      handle: async ({ user, body }) => ({
        json: await administering[act](user, body.user ?? null),
      }),
    }),
  )
}
