import { z } from 'zod'
import { safeUrl } from './safe-url.ts'

/** What the pages say, and what Google's file picker needs. */
export interface PageSettings {
  /** Who runs this Waybill, and where they are reached: an e-mail address or an https URL. Null where nobody has said. */
  readonly operator: { readonly name: string | null; readonly contact: string | null }
  /** Null where this installation has no key for it. */
  readonly picker: {
    readonly scriptUrl: string
    readonly apiKey: string
    readonly appId: string
  } | null
}

const aContact = 'set it to an e-mail address or an https URL'

const isContact = (value: string): boolean =>
  URL.parse(value)?.protocol === 'https:' || z.email().safeParse(value).success

const variables = z.object({
  WAYBILL_OPERATOR: z.string().max(200).optional(),
  WAYBILL_SUPPORT: z.string().max(500).refine(isContact, { error: aContact }).optional(),
  PICKER_SCRIPT_URL: safeUrl(', or leave it out for the real provider').default(
    'https://apis.google.com/js/api.js',
  ),
  GOOGLE_API_KEY: z.string().max(2_000).optional(),
  GOOGLE_APP_ID: z
    .string()
    .regex(/^\d{1,20}$/, 'set it to the number of the Google Cloud project')
    .optional(),
})

/** The settings of the pages, by the names of their variables. */
export const pageVariables = variables.superRefine((read, context) => {
  const [missing, set] =
    read.GOOGLE_API_KEY === undefined
      ? (['GOOGLE_API_KEY', 'GOOGLE_APP_ID'] as const)
      : (['GOOGLE_APP_ID', 'GOOGLE_API_KEY'] as const)
  if (read[missing] !== undefined || read[set] === undefined) return
  const message = `set it as well, or leave out ${set}`
  context.addIssue({ code: 'custom', path: [missing], message })
})

/** @returns them. */
export function pageSettingsFrom(read: z.output<typeof pageVariables>): PageSettings {
  const { GOOGLE_API_KEY: apiKey, GOOGLE_APP_ID: appId, PICKER_SCRIPT_URL: scriptUrl } = read
  return {
    operator: { name: read.WAYBILL_OPERATOR ?? null, contact: read.WAYBILL_SUPPORT ?? null },
    picker: apiKey === undefined || appId === undefined ? null : { scriptUrl, apiKey, appId },
  }
}
