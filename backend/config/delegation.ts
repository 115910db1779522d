import { z } from 'zod'

/** The service account to which administrators delegate their domains. */
export type DelegationSettings =
  /** On one machine: by its key file. */
  | { readonly kind: 'key'; readonly file: string }
  /** In Google Cloud: by its address, with no key that anybody could take along. */
  | { readonly kind: 'account'; readonly email: string; readonly clientId: string }

const variables = z.object({
  WAYBILL_DELEGATION_KEY: z.string().max(2_000).optional(),
  WAYBILL_DELEGATION_ACCOUNT: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{4,28}@[a-z0-9.-]+\.iam\.gserviceaccount\.com$/,
      'set it to the e-mail address of a service account',
    )
    .optional(),
  WAYBILL_DELEGATION_CLIENT_ID: z
    .string()
    .regex(/^\d{15,25}$/, 'set it to the unique id of that service account')
    .optional(),
})

/** The settings of delegation, by the names of their variables. */
export const delegationVariables = variables.superRefine((read, context) => {
  const issue = (name: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [name], message })
  const { WAYBILL_DELEGATION_ACCOUNT: email, WAYBILL_DELEGATION_CLIENT_ID: clientId } = read
  if (email !== undefined && clientId === undefined)
    issue('WAYBILL_DELEGATION_CLIENT_ID', 'set it as well, or leave out WAYBILL_DELEGATION_ACCOUNT')
  if (email === undefined && clientId !== undefined)
    issue('WAYBILL_DELEGATION_ACCOUNT', 'set it as well, or leave out WAYBILL_DELEGATION_CLIENT_ID')
  if (email !== undefined && read.WAYBILL_DELEGATION_KEY !== undefined)
    issue('WAYBILL_DELEGATION_KEY', 'leave it out, or leave out WAYBILL_DELEGATION_ACCOUNT')
})

/** @returns the settings of delegation; null without a service account. */
export function delegationFrom(
  read: z.output<typeof delegationVariables>,
): DelegationSettings | null {
  const { WAYBILL_DELEGATION_KEY: file, WAYBILL_DELEGATION_ACCOUNT: email } = read
  if (file !== undefined) return { kind: 'key', file }
  if (email === undefined) return null
  return { kind: 'account', email, clientId: read.WAYBILL_DELEGATION_CLIENT_ID ?? '' }
}
