import { describe, expect, it } from '@jest/globals'
import { createCircuit } from '../../../backend/vault/circuit.ts'
import type { Outcome } from '../../../backend/vault/circuit.ts'

const done = async (): Promise<Outcome<string>> => ({ kind: 'done', value: 'done' })
const blaming = (place: string) => async (): Promise<Outcome<string>> => ({
  kind: 'unavailable',
  place,
  message: `${place} is away`,
  cause: undefined,
})

function start() {
  let time = 0
  const circuit = createCircuit({ now: () => time, probeEveryMs: 1_000 })
  return {
    run: circuit.run,
    pass: (ms: number) => {
      time += ms
    },
  }
}

describe('a circuit', () => {
  it('shuts the place that is blamed, and no other', async () => {
    const { run } = start()
    await expect(run(['net', 'key 1'], blaming('key 1'))).rejects.toThrow('key 1 is away')
    await expect(run(['net', 'key 1'], done)).rejects.toMatchObject({ code: 'key_unavailable' })
    expect(await run(['net', 'key 2'], done)).toBe('done')
  })

  it('says for how long', async () => {
    const { run, pass } = start()
    await expect(run(['net'], blaming('net'))).rejects.toMatchObject({ retryAfterMs: 1_000 })
    pass(999)
    await expect(run(['net'], done)).rejects.toMatchObject({ retryAfterMs: 1 })
    pass(1)
    expect(await run(['net'], done)).toBe('done')
  })

  it('opens the places that a call got through, though it failed further in', async () => {
    const { run, pass } = start()
    await expect(run(['net'], blaming('net'))).rejects.toThrow('net is away')
    pass(1_000)
    await expect(run(['net', 'key'], blaming('key'))).rejects.toThrow('key is away')
    expect(await run(['net'], done)).toBe('done')
  })

  it('probes a place again that a probe did not get to', async () => {
    const { run, pass } = start()
    await expect(run(['net', 'key'], blaming('key'))).rejects.toThrow('key is away')
    pass(1_000)
    await expect(run(['net', 'key'], blaming('net'))).rejects.toThrow('net is away')
    pass(1_000)
    expect(await run(['net', 'key'], done)).toBe('done')
  })

  it('lets the next call probe when one threw what nobody expected', async () => {
    const { run, pass } = start()
    await expect(run(['net'], blaming('net'))).rejects.toThrow('net is away')
    pass(1_000)
    const broken = async (): Promise<never> => {
      throw new Error('a mistake')
    }
    await expect(run(['net'], broken)).rejects.toThrow('a mistake')
    expect(await run(['net'], done)).toBe('done')
  })
})
