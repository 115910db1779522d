import { beforeAll, describe, expect, it } from '@jest/globals'
import { slidingMinute } from '../backend/clouds/quotas.ts'
import { readDeployedLimits } from './deployed-limits.ts'
import { fairTimes } from './fair-share.ts'
import { filesOfSmallJob, runManyJobs, unitsOfSmallJob } from './many-jobs.ts'
import type { Outcome } from './many-jobs.ts'

const perMinute = 400_000

describe('the simulation of many jobs', () => {
  let outcome: Outcome

  beforeAll(async () => {
    outcome = await runManyJobs({
      seed: 'accounting',
      project: () => slidingMinute(() => perMinute),
      ofUser: () => slidingMinute(() => perMinute / 3),
      ...readDeployedLimits(),
      queue: { ...readDeployedLimits().queue, atOnce: 6 },
      users: 20,
      endlessJobs: 3,
      smallJobs: perMinute / 2 / unitsOfSmallJob,
      from: 1,
      to: 6,
    })
  })

  it('loses no job, and no file of one', () => {
    const small = outcome.jobs.filter(({ endless }) => !endless)
    expect(small.length).toBeGreaterThan(20)
    expect(small.filter(({ endedAt }) => endedAt === null)).toEqual([])
    expect(new Set(small.map(({ files }) => files))).toEqual(new Set([filesOfSmallJob]))
  })

  it('accounts for every unit that the provider let through', () => {
    const { jobs, calls, callsCounted } = outcome
    expect(jobs.reduce((sum, { units }) => sum + units, 0)).toBe(calls.units)
    expect(jobs.reduce((sum, { unitsCounted }) => sum + unitsCounted, 0)).toBe(callsCounted.units)
    const undisturbed = jobs.filter(({ endless, slices }) => !endless && slices === 1)
    expect(new Set(undisturbed.map(({ units }) => units))).toEqual(new Set([unitsOfSmallJob]))
  })

  it('is bounded by the quota and by the queue', () => {
    const { callsCounted, calls, mostSlicesAtOnce, jobs } = outcome
    expect(callsCounted.units).toBeLessThanOrEqual(5 * perMinute)
    expect(calls.refused).toBeGreaterThan(0)
    expect(mostSlicesAtOnce).toBe(6)
    const endless = jobs.filter((job) => job.endless)
    expect(endless.every(({ slices }) => slices > 1)).toBe(true)
  })
})

describe('fair times', () => {
  it('are what the whole quota takes when nobody else is there', () => {
    expect(fairTimes(60_000, 0, [{ createdAt: 0, units: 1_000 }])).toEqual([1_000])
  })

  it('give each job under way an equal part', () => {
    const demands = [
      { createdAt: 0, units: 1_000 },
      { createdAt: 1_000, units: 500 },
    ]
    // Alone beside an endless one, the first has 500 units when the second comes; then all get a third.
    expect(fairTimes(60_000, 1, demands).map(Math.round)).toEqual([2_500, 1_500])
  })
})
