import { fixedMinute, slidingMinute } from '../backend/clouds/quotas.ts'
import type { Quota } from '../backend/clouds/quotas.ts'
import { readDeployedLimits } from './deployed-limits.ts'
import { fairTimes } from './fair-share.ts'
import type { Measurement } from './figure.ts'
import { runManyJobs, unitsOfSmallJob } from './many-jobs.ts'
import type { Outcome } from './many-jobs.ts'

const minuteMs = 60_000
// Quota units a minute: https://developers.google.com/workspace/drive/api/guides/limits
const perProject = 1_000_000
const perUser = 325_000
const endlessJobs = 10
const users = 200
/** Minutes of virtual time: the first are for paces to find the quota. */
const from = 8
const to = 18

type MakeQuota = (perMinute: number, random: () => number) => Quota

/** Google does not publish over which minute it counts. The simulated Drive counts over a sliding one. */
const sliding: Readonly<Record<string, MakeQuota>> = {
  'sliding minute': (perMinute) => slidingMinute(() => perMinute),
  'sliding minute, with Retry-After': (perMinute) => sayingWhen(slidingMinute(() => perMinute)),
}

/** Likewise possible, and shown: then nobody gets anything for the rest of a minute whose quota was used up early. */
const fixed: Readonly<Record<string, MakeQuota>> = {
  'fixed minute': (perMinute, random) =>
    fixedMinute(() => perMinute, { phaseMs: random() * minuteMs, saysWhen: false }),
  'fixed minute, with Retry-After': (perMinute, random) =>
    fixedMinute(() => perMinute, { phaseMs: random() * minuteMs, saysWhen: true }),
}

/**
 * 95th percentile, over the small jobs, of the time from a job's creation to its end, divided by `fairTimes`: what it
 * would have taken if at every moment the project's quota had been cut into equal parts for all jobs under way, the
 * endless ones among them. That yardstick stays the same however well or badly the jobs in fact got on. The value is
 * the worse of the two ways of counting over a sliding minute.
 */
export const fairness: Measurement = {
  figures: [{ name: 'fairness', unit: '× its fair time', reach: { most: 1.5 } }],
  measure: async () => {
    const details: Record<string, number | string> = {}
    let value = 0
    for (const [name, make] of Object.entries({ ...sliding, ...fixed })) {
      const outcome = await runManyJobs({
        seed: `fairness ${name}`,
        project: (random) => make(perProject, random),
        ofUser: (random) => make(perUser, random),
        ...readDeployedLimits(),
        users,
        endlessJobs,
        smallJobs: perProject / 2 / unitsOfSmallJob,
        from,
        to,
      })
      const ratios = ratiosOf(outcome)
      if (name in sliding) value = Math.max(value, part(ratios, 0.95))
      details[name] = `${shown(ratios)}; ${spent(outcome)}`
    }
    return [{ value, details }]
  },
}

/** In ascending order, of the small jobs that were created in the minutes that count; a job that did not end has Infinity. */
function ratiosOf({ jobs }: Outcome): readonly number[] {
  const small = jobs.filter(({ endless }) => !endless)
  const demands = small.map(({ createdAt }) => ({ createdAt, units: unitsOfSmallJob }))
  const fair = fairTimes(perProject, endlessJobs, demands)
  return small
    .flatMap(({ createdAt, endedAt }, at) =>
      createdAt < from * minuteMs
        ? []
        : [((endedAt ?? Infinity) - createdAt) / (fair[at] ?? Number.NaN)],
    )
    .toSorted((a, b) => a - b)
}

/** @param ratios in ascending order */
function part(ratios: readonly number[], of: number): number {
  return ratios[Math.min(ratios.length - 1, Math.floor(of * ratios.length))] ?? Number.NaN
}

function shown(ratios: readonly number[]): string {
  const [median, most, worst] = [0.5, 0.95, 1].map((of) => part(ratios, of).toFixed(2))
  return `${ratios.length} small jobs: median ${median}, 95th ${most}, worst ${worst}`
}

function spent({ jobs, callsCounted: { units, granted, refused }, mostSlicesAtOnce }: Outcome) {
  const each = jobs
    .filter(({ endless }) => endless)
    .map(({ unitsCounted }) => unitsCounted / (to - from))
    .toSorted((a, b) => a - b)
  const thousands = (row: number | undefined): string => `${Math.round((row ?? 0) / 1000)}`
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`
  return [
    `${percent(units / (to - from) / perProject)} of the quota used`,
    `${percent(refused / (granted + refused))} of the calls refused`,
    `endless jobs ${thousands(each[0])} to ${thousands(each.at(-1))} thousand units a minute`,
    `${mostSlicesAtOnce} slices at once at most`,
  ].join(', ')
}

// Nothing is known of what Google would say but that it is whole seconds.
function sayingWhen(quota: Quota): Quota {
  return {
    ask: (now, cost) => (quota.ask(now, cost) === 'granted' ? 'granted' : { retryAfterMs: 1_000 }),
  }
}
