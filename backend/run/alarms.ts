import type { AlarmKind } from '../../shared/alarm.ts'
import type { Acts } from '../audit/acts.ts'
import type { Log } from '../log.ts'
import type { Freezing } from './freezing.ts'

/** What is done about an alarm: it is written down, or everything of the person is frozen as well. */
export const alarmResponses = ['note', 'freeze'] as const

export type AlarmResponse = (typeof alarmResponses)[number]

/** Says that something is wrong with a person's things. */
export interface Alarms {
  /**
   * Writes it into the person's log and ours, and freezes what is theirs if the operator wants that.
   *
   * @param response instead of what the operator has set
   */
  raise(user: string, kind: AlarmKind, response?: AlarmResponse): Promise<void>
}

/** @param deps.response what the operator has set */
export function createAlarms(deps: {
  readonly acts: Pick<Acts, 'record'>
  readonly freezing: Pick<Freezing, 'freezeByAlarm'>
  readonly log: Log
  readonly response: AlarmResponse
}): Alarms {
  const { acts, freezing, log } = deps
  return {
    raise: async (user, kind, response = deps.response) => {
      // First what stops something: whatever goes wrong afterwards leaves it stopped.
      if (response === 'freeze') await freezing.freezeByAlarm(user)
      log.warn(`alarm_${kind}`)
      await acts.record(user, { act: 'alarm_raised', target: null, details: { kind, response } })
    },
  }
}
