import { describe, expect, it } from '@jest/globals'
import { createSteady } from '../../../backend/clouds/steady.ts'
import { seededRandom } from '../../clouds/random.ts'
import { failure, idleSource } from './steady-clouds.ts'
import { createVirtualTime } from './virtual-time.ts'

describe('steady clouds of one account', () => {
  it('share a pace from run to run, and none with other accounts', async () => {
    const time = createVirtualTime()
    const steady = createSteady({
      clock: time.clock,
      random: seededRandom('accounts'),
      sleep: time.sleep,
    })
    const refusing = { ...idleSource, get: () => Promise.reject(failure('rate_limited', 90_000)) }
    const willing = { ...idleSource, get: () => Promise.resolve(null) }
    await expect(steady.source(refusing, 'a').get('id')).rejects.toMatchObject({
      code: 'rate_limited',
    })
    await expect(steady.source(willing, 'a').get('id')).rejects.toMatchObject({
      code: 'rate_limited',
    })
    expect(await steady.source(willing, 'b').get('id')).toBeNull()
  })
})
