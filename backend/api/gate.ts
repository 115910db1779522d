import { isIP } from 'node:net'
import type { Request } from 'express'
import { networkOf } from '../records/networks.ts'
import type { Whose } from '../records/sightings.ts'
import type { Alarms } from '../run/alarms.ts'
import type { Watch } from '../run/watch.ts'
import type { Lockouts } from './lockouts.ts'
import type { BudgetName, Rates } from './rates.ts'

// What one party can have of the internet: a single address, or the 2^64 of the smallest network that is given away.
const party = { v4: 32, v6: 64 }
// What a home, an office or a part of a provider has: https://www.rfc-editor.org/rfc/rfc6177
const place = { v4: 24, v6: 48 }

/** What stands between the network and everything that people ask for. */
export interface Gate {
  /** How many proxies in front of us add an address to `X-Forwarded-For`. */
  readonly trustedProxies: number
  /** Counts a request by its address. Throws `rate_limited`. */
  arrive(request: Request, budget: 'address' | 'pages' | 'signIn'): Promise<void>
  /** Counts what a person or a key asks for. Throws `rate_limited`. */
  spend(budget: BudgetName, who: string): Promise<void>
  /** Throws `rate_limited` if the address has failed too often, unless this claim was good from there before. */
  refuseLocked(request: Request, claim: string | null): Promise<void>
  /** Throws `rate_limited` if the address has failed too often for this account. */
  refuseLockedAccount(request: Request, account: string): Promise<void>
  /** Counts a failure. */
  failed(request: Request, account: string | null): Promise<void>
  /** The claim was good, and this is whose it is. */
  proven(request: Request, claim: string): void
  /** Notices where somebody comes from. */
  seen(request: Request, whose: Whose): Promise<void>
}

/**
 * @param deps.limits null where something else limits rates
 * @param deps.countryHeader in lower case; null if nobody says where requests come from
 */
export function createGate(deps: {
  readonly limits: { readonly rates: Rates; readonly lockouts: Lockouts } | null
  readonly watch: Watch
  readonly alarms: Alarms
  readonly trustedProxies: number
  readonly countryHeader: string | null
}): Gate {
  const { limits, watch, alarms, trustedProxies, countryHeader } = deps
  const partyOf = (request: Request) => networkOf(addressOf(request), party)
  return {
    trustedProxies,
    arrive: async (request, budget) => limits?.rates.spend(budget, partyOf(request)),
    spend: async (budget, who) => limits?.rates.spend(budget, who),
    refuseLocked: async (request, claim) => limits?.lockouts.check(partyOf(request), claim),
    refuseLockedAccount: async (request, account) =>
      limits?.lockouts.checkAccount(partyOf(request), account),
    failed: async (request, account) => {
      const isMany = await limits?.lockouts.failed(partyOf(request), account)
      // Never more than a note: else whoever fails often enough could freeze what is somebody else's.
      if (isMany === true && account !== null) await alarms.raise(account, 'many_failures', 'note')
    },
    proven: (request, claim) => limits?.lockouts.proven(partyOf(request), claim),
    seen: async (request, whose) => {
      const said = countryHeader === null ? undefined : request.get(countryHeader)
      const country = /^[a-z]{2}(?![a-z])/i.exec(said?.trim() ?? '')?.[0].toUpperCase() ?? null
      await watch.seen(whose, { network: networkOf(addressOf(request), place), country })
    },
  }
}

/**
 * @returns where a request comes from, as far as the proxies are trusted that Express was told of; what a trusted proxy
 * says that is no address is not believed
 */
export function addressOf(request: Request): string {
  const { ip = '' } = request
  return isIP(ip) === 0 ? (request.socket.remoteAddress ?? '') : ip
}
