import { faultById, faultCatalogue } from './fault-catalogue.ts'
import type { CatalogueFault } from './fault-catalogue.ts'
import type { ProviderName } from './oauth/provider.ts'
import { seededRandom } from './random.ts'
import type { Random } from './random.ts'

/** A fault chosen for one call. */
export interface InjectedFault {
  readonly fault: CatalogueFault
  /** Seeded for this call: where in the body, which entry. */
  readonly random: Random
}

/** What a fault is chosen for. */
interface FaultTarget {
  readonly route: string
  readonly kind: string
  /** What tells this call from others of its route: method and path. */
  readonly key: string
}

/** A seeded menu of faults. */
export interface FaultMenu {
  readonly seed: string | number
  /** The share of calls that are touched, 0..1. */
  readonly rate: number
  /** These ids only; without it, every transient fault of the catalogue. */
  readonly ids?: readonly string[]
  /** The same call of the same item is touched at most this often: 2 unless given. */
  readonly most?: number
}

/** A fault for one exact call. */
export interface PlannedFault {
  /** The route's name; `*` at the end matches the rest. */
  readonly route: string
  /** The first such call from now on is 1, which is also what is meant without it. */
  readonly nth?: number
  /** How many calls in a row; 1 unless given. */
  readonly times?: number
  /** An id of the catalogue, or a fault of the test's own. */
  readonly fault: string | CatalogueFault
  /** Only calls whose path contains this. */
  readonly path?: string
}

/** Decides which calls of one simulated cloud go wrong, and remembers which did. */
export interface Faults {
  /** From now on, a menu; null for none. */
  menu(menu: FaultMenu | null): void
  /** A fault for one exact call. Throws when the id is unknown. */
  plan(planned: PlannedFault): void
  /** The fault for this call, or null. Each call asks once. */
  choose(target: FaultTarget): InjectedFault | null
  /** Ids and routes of what was injected so far, in order. */
  injected(): readonly { readonly id: string; readonly route: string; readonly key: string }[]
  /** No plans, no menu, nothing remembered. */
  clear(): void
}

/** Faults for one cloud: the network's and those of `provider`. */
export function createFaults(provider: ProviderName, first?: FaultMenu): Faults {
  const own = faultCatalogue.filter(
    (fault) => fault.provider === 'net' || fault.provider === provider,
  )
  const asked = new Map<string, number>()
  const touched = new Map<string, number>()
  const applicable = new Map<string, readonly CatalogueFault[]>()
  let injected: { id: string; route: string; key: string }[] = []
  let planned: { plan: PlannedFault; fault: CatalogueFault; seen: number }[] = []
  let menu: FaultMenu | null = first ?? null

  function fromPlan({ route, key }: FaultTarget): CatalogueFault | null {
    let chosen: CatalogueFault | null = null
    for (const entry of planned) {
      if (!routeMatches(entry.plan.route, route) || !key.includes(entry.plan.path ?? '')) continue
      entry.seen++
      const nth = entry.plan.nth ?? 1
      if (entry.seen >= nth && entry.seen < nth + (entry.plan.times ?? 1)) chosen ??= entry.fault
    }
    return chosen
  }

  // The decision depends on the item and on how often it was asked for, not on the order in which
  // calls happen to arrive: with the same seed, concurrent clients meet the same faults.
  function fromMenu(target: FaultTarget, random: Random): CatalogueFault | null {
    if (menu === null || random() >= menu.rate) return null
    if ((touched.get(target.key) ?? 0) >= (menu.most ?? 2)) return null
    const id = `${target.route} ${target.kind}`
    let fitting = applicable.get(id)
    if (fitting === undefined) {
      const { ids } = menu
      fitting = own.filter(
        (fault) => fits(fault, target) && (ids?.includes(fault.id) ?? fault.transient),
      )
      applicable.set(id, fitting)
    }
    return fitting[Math.floor(random() * fitting.length)] ?? null
  }

  return {
    menu(next) {
      menu = next
      applicable.clear()
    },
    plan(plan) {
      const fault = typeof plan.fault === 'string' ? faultById(plan.fault) : plan.fault
      planned.push({ plan, fault, seen: 0 })
    },
    choose(target) {
      if (menu === null && planned.length === 0) return null
      const nth = (asked.get(target.key) ?? 0) + 1
      asked.set(target.key, nth)
      const random = seededRandom(`${menu?.seed ?? 0} ${target.key} ${nth}`)
      const fault = fromPlan(target) ?? fromMenu(target, random)
      if (fault === null) return null
      touched.set(target.key, (touched.get(target.key) ?? 0) + 1)
      injected.push({ id: fault.id, route: target.route, key: target.key })
      return { fault, random }
    },
    injected: () => injected,
    clear() {
      menu = null
      planned = []
      injected = []
      asked.clear()
      touched.clear()
      applicable.clear()
    },
  }
}

function fits(fault: CatalogueFault, target: FaultTarget): boolean {
  return fault.routes.some((route) =>
    route.startsWith('@') ? route.slice(1) === target.kind : routeMatches(route, target.route),
  )
}

function routeMatches(pattern: string, route: string): boolean {
  return pattern.endsWith('*') ? route.startsWith(pattern.slice(0, -1)) : pattern === route
}
