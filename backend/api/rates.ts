import { WaybillError } from '../../shared/errors.ts'
import { createCounter } from './counters.ts'

/** How many requests are free, and within how many seconds. */
export interface Budget {
  readonly free: number
  readonly seconds: number
}

const budgets = {
  /** What comes from one address without a sign-in token that is good: many people may share it. */
  address: { free: 1_200, seconds: 60 },
  /** Pages, by address. */
  pages: { free: 600, seconds: 60 },
  /** Beginnings and ends of sign-ins, by address. */
  signIn: { free: 600, seconds: 600 },
  /** What a person asks for, with whatever. */
  user: { free: 600, seconds: 60 },
  /** What one API key asks for. */
  key: { free: 300, seconds: 60 },
  /** What makes us call a provider or a server that a person names, by person. */
  connect: { free: 30, seconds: 600 },
} as const satisfies Record<string, Budget>

export type BudgetName = keyof typeof budgets

/** How much everybody may ask for. */
export interface Rates {
  /** Counts a request. Throws `rate_limited` beyond the budget, until its time is over. */
  spend(budget: BudgetName, who: string): Promise<void>
}

/** @param replace other budgets than the usual ones */
export function createRates(replace: Partial<Readonly<Record<BudgetName, Budget>>> = {}): Rates {
  const all: Readonly<Record<BudgetName, Budget>> = { ...budgets, ...replace }
  const counters = new Map(
    Object.entries(all).map(([name, { seconds }]) => [name, createCounter(seconds)]),
  )
  return {
    spend: async (budget, who) => {
      const counted = await counters.get(budget)?.add(who)
      if (counted === undefined || counted.count <= all[budget].free) return
      throw tooMany(counted.msLeft)
    },
  }
}

/** @returns what somebody is told who has asked too often. */
export function tooMany(retryAfterMs: number): WaybillError {
  return new WaybillError('rate_limited', 'That was too often. Wait a little.', { retryAfterMs })
}
