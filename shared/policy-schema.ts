import { z } from 'zod'
import { accountProviders } from './account.ts'

const provider = z.enum(accountProviders)
const clouds = z
  .array(provider)
  .max(accountProviders.length)
  .refine((each) => new Set(each).size === each.length, 'each cloud only once')

const domain = z
  .string()
  .max(253)
  .regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/, 'a domain in lower case')

const address = z
  .string()
  .max(320)
  .regex(/^[^@\s]+@[^@\s]+$/, 'an e-mail address')

const place = z.strictObject({
  provider,
  account: z.union([
    z.strictObject({ domain }),
    z.strictObject({ id: z.string().min(1).max(200) }),
  ]),
  folder: z
    .string()
    .max(4_000)
    .regex(/^(?:\/(?!\.{1,2}(?:\/|$))[^/]{1,255}){1,100}$/, 'a path like /Backups')
    .nullable(),
})

const policy = z.strictObject({
  sources: clouds,
  destinations: clouds,
  places: z.array(place).max(100).nullable(),
  personalAccounts: z.boolean(),
  wholeDrive: z.union([
    z.enum(['everybody', 'nobody']),
    z.strictObject({ people: z.array(address).max(100) }),
  ]),
})

/** What a domain's policy is changed with: people by their addresses. */
export const policyChange = z.strictObject({ policy })

const time = z.iso.datetime()
const count = z.int().min(0)

/** A domain's policy as its administrators see it. */
export const policyView = z.strictObject({
  version: count,
  policy: policy.extend({
    wholeDrive: z.union([
      z.enum(['everybody', 'nobody']),
      z.strictObject({ people: z.array(z.string()) }),
    ]),
  }),
  domains: z.array(z.string()),
  frozenSince: time.nullable(),
})

/** How far a domain has let Waybill act for its people. */
export const delegation = z.strictObject({
  clientId: z.string().nullable(),
  scopes: z.array(z.strictObject({ scope: z.string(), granted: z.boolean() })),
  connected: z.boolean(),
})

/** Who of a domain uses what, counted. */
export const tenantPeople = z.strictObject({
  people: z.array(
    z.strictObject({
      user: z.string(),
      address: z.string().nullable(),
      connections: count,
      jobs: count,
      frozen: z.boolean(),
    }),
  ),
  next: z.string().nullable(),
})
