import { createHash } from 'node:crypto'
import { createCounter } from './counters.ts'
import { tooMany } from './rates.ts'

const hour = 3_600
const freeFailures = 5
const longestWait = 900
const mostOfAddress = 100
const mostOfAccount = 20
const mostProven = 20_000

/**
 * What keeps guessing slow. Five failures are free, each one more doubles the wait, from a second to a quarter of an hour;
 * 100 in an hour are all that an address has, and 20 all that it has for one account.
 *
 * None of it can be turned against somebody else: an account is counted apart for each address, so whoever fails somewhere
 * else keeps its owner from nothing, and who shares an address with a guesser is not kept out with what was good from there before.
 */
export interface Lockouts {
  /**
   * Throws `rate_limited` if the address has to wait.
   *
   * @param claim what somebody brings to show who they are; null if that is nothing
   */
  check(address: string, claim: string | null): Promise<void>
  /** Throws `rate_limited` if the address has to wait before it tries this account again. */
  checkAccount(address: string, account: string): Promise<void>
  /**
   * Counts a failure, for an account if it is known whose it was.
   *
   * @returns whether it is the one by which the account has had many within an hour, from wherever
   */
  failed(address: string, account: string | null): Promise<boolean>
  /** The claim was good, from this address. */
  proven(address: string, claim: string): void
}

/** @returns lockouts that begin with nothing. */
export function createLockouts(): Lockouts {
  const failures = createCounter(hour)
  const locks = createCounter(longestWait)
  const proofs = new Set<string>()

  const refuseLocked = async (name: string): Promise<void> => {
    const { count, msLeft } = await locks.look(name)
    if (count > 0) throw tooMany(msLeft)
  }

  const fail = async (name: string, most: number): Promise<void> => {
    const { count, msLeft } = await failures.add(name)
    if (count >= most) await locks.mark(name, Math.max(1, Math.ceil(msLeft / 1_000)))
    else if (count >= freeFailures)
      await locks.mark(name, Math.min(2 ** (count - freeFailures), longestWait))
  }

  return {
    check: async (address, claim) => {
      if (claim !== null && proofs.has(proofOf(address, claim))) return
      await refuseLocked(address)
    },
    checkAccount: async (address, account) => refuseLocked(`${account} ${address}`),
    failed: async (address, account) => {
      await fail(address, mostOfAddress)
      if (account === null) return false
      await fail(`${account} ${address}`, mostOfAccount)
      const { count } = await failures.add(`${account} everywhere`)
      return count === mostOfAccount
    },
    proven: (address, claim) => {
      const proof = proofOf(address, claim)
      proofs.delete(proof)
      proofs.add(proof)
      const [oldest = ''] = proofs
      if (proofs.size > mostProven) proofs.delete(oldest)
    },
  }
}

/** Claims are secrets, and are not kept. */
function proofOf(address: string, claim: string): string {
  return createHash('sha256').update(`${address}\0${claim}`).digest('base64url')
}
