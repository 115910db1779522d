import { Readable } from 'node:stream'
import { callCosts } from '../../backend/clouds/call-costs.ts'
import type { Source } from '../../backend/clouds/cloud.ts'
import type { Clock, Random, Sleep } from '../../backend/clouds/waiting.ts'
import { WaybillError } from '../../shared/errors.ts'
import { someItem } from '../some-item.ts'
import { idleSource } from '../backend/clouds/steady-clouds.ts'
import type { Quota } from '../backend/clouds/quotas.ts'

/** What a Drive has let through and what it has refused. */
export interface Calls {
  readonly units: number
  readonly granted: number
  readonly refused: number
}

/** A Drive that counts and does nothing else: one project's quota, and one for each of its users. */
export interface SimulatedDrive {
  /** @param onCall told of every call that was let through, with its units */
  source(user: string, onCall: (units: number) => void): Source
  /** Since the start. */
  calls(): Calls
}

export const file = someItem({ id: 'file', name: 'file', size: 0 })

/**
 * @param options.project the quota that all share
 * @param options.ofUser makes the quota of one user, whom the project's refusals cost all the same
 */
export function createSimulatedDrive(options: {
  readonly clock: Clock
  readonly random: Random
  readonly sleep: Sleep
  readonly project: Quota
  readonly ofUser: () => Quota
}): SimulatedDrive {
  const { clock, random, sleep, project, ofUser } = options
  const cost = callCosts['google-drive']
  const users = new Map<string, Quota>()
  const sum = { units: 0, granted: 0, refused: 0 }

  function quotaOf(user: string): Quota {
    const known = users.get(user) ?? ofUser()
    users.set(user, known)
    return known
  }

  return {
    source(user, onCall) {
      const call = async <T>(units: number, answer: T): Promise<T> => {
        // Answers take their time on both ways; what is refused is refused at once.
        const latency = 80 + random() * 240
        await sleep(latency / 2)
        const now = clock()
        let said = quotaOf(user).ask(now, units)
        if (said === 'granted') said = project.ask(now, units)
        if (said === 'granted') {
          sum.units += units
          sum.granted += 1
          onCall(units)
        } else sum.refused += 1
        await sleep(latency / 2)
        if (said === 'granted') return answer
        throw new WaybillError('rate_limited', 'Google asks for fewer calls.', said)
      }
      return {
        ...idleSource,
        ownDrive: async () => call(cost.get, { id: 'my-drive', name: 'My Drive', rootId: 'root' }),
        changesToken: async () => call(cost.other, 'token'),
        list: async () => call(cost.list, { items: [file], cursor: null, complete: true }),
        open: async () => call(cost.open, { stream: Readable.from([]), length: 0, from: 0 }),
      }
    },
    calls: () => ({ ...sum }),
  }
}
