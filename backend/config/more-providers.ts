import { z } from 'zod'
import { safeUrl } from './safe-url.ts'

/** Where Box is, and who we are there. */
export interface BoxSettings {
  readonly apiUrl: string
  readonly authorizeUrl: string
  readonly tokenUrl: string
  readonly revokeUrl: string
  readonly clientId: string
  readonly clientSecret: string
}

/** Where Microsoft is, and who we are there. */
export interface MicrosoftSettings {
  readonly graphUrl: string
  readonly authorizeUrl: string
  readonly tokenUrl: string
  readonly jwksUrl: string
  readonly clientId: string
  readonly clientSecret: string
}

const url = (standard: string) =>
  safeUrl(', or leave it out for the real provider').default(standard)
const text = z.string().max(2_000).optional()

const login = 'https://login.microsoftonline.com/common'

const variables = z.object({
  BOX_API_URL: url('https://api.box.com'),
  BOX_AUTHORIZE_URL: url('https://account.box.com/api/oauth2/authorize'),
  BOX_TOKEN_URL: url('https://api.box.com/oauth2/token'),
  BOX_REVOKE_URL: url('https://api.box.com/oauth2/revoke'),
  BOX_CLIENT_ID: text,
  BOX_CLIENT_SECRET: text,
  GRAPH_API_URL: url('https://graph.microsoft.com'),
  MICROSOFT_AUTHORIZE_URL: url(`${login}/oauth2/v2.0/authorize`),
  MICROSOFT_TOKEN_URL: url(`${login}/oauth2/v2.0/token`),
  MICROSOFT_JWKS_URL: url(`${login}/discovery/v2.0/keys`),
  MICROSOFT_CLIENT_ID: text,
  MICROSOFT_CLIENT_SECRET: text,
})

/** The settings of providers that an installation may do without, by the names of their variables. */
export const moreProviderVariables = variables.superRefine((read, context) => {
  for (const name of ['BOX_CLIENT', 'MICROSOFT_CLIENT'] as const) {
    const [id, secret] = [`${name}_ID`, `${name}_SECRET`] as const
    if ((read[id] === undefined) === (read[secret] === undefined)) continue
    const [missing, set] = read[id] === undefined ? [id, secret] : [secret, id]
    const message = `set it as well, or leave out ${set}`
    context.addIssue({ code: 'custom', path: [missing], message })
  }
})

type Read = z.output<typeof moreProviderVariables>

/** @returns Box's settings; null without a client there. */
export function boxFrom(read: Read): BoxSettings | null {
  if (read.BOX_CLIENT_ID === undefined || read.BOX_CLIENT_SECRET === undefined) return null
  return {
    apiUrl: read.BOX_API_URL,
    authorizeUrl: read.BOX_AUTHORIZE_URL,
    tokenUrl: read.BOX_TOKEN_URL,
    revokeUrl: read.BOX_REVOKE_URL,
    clientId: read.BOX_CLIENT_ID,
    clientSecret: read.BOX_CLIENT_SECRET,
  }
}

/** @returns Microsoft's settings; null without a client there. */
export function microsoftFrom(read: Read): MicrosoftSettings | null {
  const { MICROSOFT_CLIENT_ID: clientId, MICROSOFT_CLIENT_SECRET: clientSecret } = read
  if (clientId === undefined || clientSecret === undefined) return null
  return {
    graphUrl: read.GRAPH_API_URL,
    authorizeUrl: read.MICROSOFT_AUTHORIZE_URL,
    tokenUrl: read.MICROSOFT_TOKEN_URL,
    jwksUrl: read.MICROSOFT_JWKS_URL,
    clientId,
    clientSecret,
  }
}
