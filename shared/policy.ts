import { accountProviders } from './account.ts'
import type { AccountProvider } from './account.ts'

/**
 * What a tenant allows its people. An administrator of a domain writes it; a person without a domain has none, and
 * everything is allowed.
 */
export interface Policy {
  /** Clouds that may be copied from, and to. */
  readonly sources: readonly AccountProvider[]
  readonly destinations: readonly AccountProvider[]
  /** Where copies may go, one of these; null for everywhere in `destinations`. */
  readonly places: readonly Place[] | null
  /**
   * Whether copies may go to accounts of nobody's: those whose address is in none of the tenant's own domains, or is not
   * known.
   */
  readonly personalAccounts: boolean
  /** Who may let Waybill read a whole Drive, and not only picked files. */
  readonly wholeDrive: WholeDrive
}

/** Our ids of people, as an address may be given to somebody else. */
export type WholeDrive = 'everybody' | 'nobody' | { readonly people: readonly string[] }

/** Accounts at a provider, and a folder in them. */
export interface Place {
  readonly provider: AccountProvider
  /** The domain of the account's address, or the provider's own id of one account. */
  readonly account: { readonly domain: string } | { readonly id: string }
  /** A path from the top of the account: it and what is below it; null for anywhere. */
  readonly folder: string | null
}

/** What somebody wants to do. What is not known yet is left out, and is judged once it is. */
export interface Asked {
  /** Our id of who asks. */
  readonly person: string
  /** The domains of their tenant, in lower case. */
  readonly domains: readonly string[]
  readonly source?: {
    readonly provider: AccountProvider
    /** Whether Waybill may read all that the account holds. */
    readonly whole: boolean
  }
  readonly destination?: {
    readonly provider: AccountProvider
    /** `domain` is that of its address, in lower case; null if it has none. */
    readonly account?: { readonly id: string; readonly domain: string | null }
    readonly folder?: string
  }
}

export type Refusal =
  | 'source_cloud'
  | 'destination_cloud'
  | 'personal_account'
  | 'destination_account'
  | 'destination_folder'
  | 'whole_drive'

export type Decision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: Refusal }

/** Everything is allowed: what a tenant has until somebody says otherwise. */
export const everythingAllowed: Policy = {
  sources: accountProviders,
  destinations: accountProviders,
  places: null,
  personalAccounts: true,
  wholeDrive: 'everybody',
}

/** @returns whether the policy allows what is asked; if not, the first reason. */
export function decide(policy: Policy, asked: Asked): Decision {
  const reason = refusalOfSource(policy, asked) ?? refusalOfDestination(policy, asked)
  return reason === null ? { allowed: true } : { allowed: false, reason }
}

function refusalOfSource({ sources, wholeDrive }: Policy, asked: Asked): Refusal | null {
  if (asked.source === undefined) return null
  if (!sources.includes(asked.source.provider)) return 'source_cloud'
  if (!asked.source.whole || wholeDrive === 'everybody') return null
  return wholeDrive !== 'nobody' && wholeDrive.people.includes(asked.person) ? null : 'whole_drive'
}

function refusalOfDestination(policy: Policy, { destination, domains }: Asked): Refusal | null {
  if (destination === undefined) return null
  const { provider, account, folder } = destination
  if (!policy.destinations.includes(provider)) return 'destination_cloud'
  if (account === undefined) return null
  const isOwn = account.domain !== null && domains.includes(account.domain)
  if (!policy.personalAccounts && !isOwn) return 'personal_account'
  if (policy.places === null) return null
  const places = policy.places.filter(
    (place) => place.provider === provider && isAccount(place, account),
  )
  if (places.length === 0) return 'destination_account'
  const isInside =
    folder === undefined ||
    places.some((place) => place.folder === null || isBelow(place.folder, folder))
  return isInside ? null : 'destination_folder'
}

function isAccount(
  { account }: Place,
  asked: { readonly id: string; readonly domain: string | null },
): boolean {
  return 'id' in account ? account.id === asked.id : account.domain.toLowerCase() === asked.domain
}

/** Destinations compare names without regard to case; a folder whose name only begins the same is another folder. */
function isBelow(top: string, folder: string): boolean {
  const [above, path] = [top, folder].map((each) =>
    `${each.normalize('NFC').toLowerCase()}/`.replaceAll(/\/+/g, '/'),
  )
  return path?.startsWith(above ?? '') === true
}

const words = {
  source_cloud: 'this cloud may not be copied from',
  destination_cloud: 'nothing may be copied to this cloud',
  personal_account: 'copies may go only to accounts of your own domain',
  destination_account: 'nothing may be copied to this account',
  destination_folder: 'nothing may be copied to this folder',
  whole_drive: 'you may let Waybill read picked files only, not the whole Drive',
} as const satisfies Record<Refusal, string>

/** @returns why it is refused, as the end of a sentence. */
export function refusalWords(reason: Refusal): string {
  return words[reason]
}

/** @returns the domain of an address, in lower case; null for what is none. */
export function domainOf(address: string): string | null {
  const domain = /^[^@\s]+@([^@\s]+)$/.exec(address)?.[1]
  return domain?.toLowerCase() ?? null
}
