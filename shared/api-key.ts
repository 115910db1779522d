/** What a key of the API may be allowed, each with the words that a person is shown. */
const scopes = {
  'jobs:read': 'see jobs and receipts',
  'jobs:run': 'create, run and steer jobs',
  'accounts:read': 'see connected accounts',
  'accounts:manage': 'connect, confirm and disconnect accounts',
  'audit:read': 'read the log of acts',
} as const satisfies Record<string, string>

/** Managing keys, freezing and everything else that is for the person alone is no scope, so that no key can do it. */
export type ApiKeyScope = keyof typeof scopes

/** All of them. */
export const apiKeyScopes: readonly ApiKeyScope[] = Object.keys(scopes).filter(isApiKeyScope)

/** @returns what a key with this scope may do, in words that follow "may". */
export function scopeWords(scope: ApiKeyScope): string {
  return scopes[scope]
}

/** @returns whether `value` is one of our scopes (for scopes read back from a store or typed by somebody). */
export function isApiKeyScope(value: unknown): value is ApiKeyScope {
  return typeof value === 'string' && Object.hasOwn(scopes, value)
}

/** How long a key is good, in days: at most, and unless somebody says. */
export const apiKeyDays = { most: 365, usual: 90 } as const

/** What a key is asked for with. */
export interface ApiKeyRequest {
  readonly name: string
  readonly scopes: readonly ApiKeyScope[]
  /** 90 unless told. */
  readonly days?: number
  /** Addresses, or networks like `192.0.2.0/24`, from which alone it is taken; from everywhere unless told. */
  readonly from?: readonly string[]
}

/** A key as its owner sees it. It cannot be used with what is in here. */
export interface ApiKeyView {
  readonly id: string
  readonly name: string
  readonly scopes: readonly ApiKeyScope[]
  readonly from: readonly string[]
  /** RFC 3339. */
  readonly createdAt: string
  readonly expiresAt: string
  /** To the hour; null if it never was. */
  readonly lastUsedAt: string | null
}
