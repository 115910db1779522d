import { describe, expect, it } from '@jest/globals'
import { createSecretKey, randomBytes } from 'node:crypto'
import { createWalletWrapper } from '../../../backend/vault/wallet-wrapper.ts'
import type { Kek } from '../../../backend/vault/wallet.ts'
import { describeKeyWrapper } from '../../contract/key-wrapper.ts'

const context = { env: 'test', tenantId: 't', userId: 'u', dekId: 'd', purpose: 'dek-wrap' }

function kek(id: string, day: string, state: Kek['state'] = 'active'): Kek {
  return { id, key: createSecretKey(randomBytes(32)), created: `2026-11-${day}T00:00:00Z`, state }
}

describeKeyWrapper('wallet', async () => {
  const first = kek('first', '01')
  return {
    wrapper: createWalletWrapper({ keks: [first] }, randomBytes),
    rotate: async () => createWalletWrapper({ keks: [first, kek('second', '02')] }, randomBytes),
    unreachable: async () => createWalletWrapper({ keks: [] }, randomBytes),
  }
})

describe('wallet wrapper', () => {
  it('finds the newest KEK wherever it stands', async () => {
    const keks = [kek('b', '02'), kek('c', '03'), kek('a', '01')]
    const wrapper = createWalletWrapper({ keks }, randomBytes)
    expect(await wrapper.wrap(randomBytes(32), context)).toMatchObject({ kekId: 'c' })
  })

  it('takes the one added last of two that are equally old', async () => {
    const wrapper = createWalletWrapper({ keks: [kek('a', '01'), kek('b', '01')] }, randomBytes)
    expect(await wrapper.wrap(randomBytes(32), context)).toMatchObject({ kekId: 'b' })
  })

  it('unwraps with a retired KEK but never wraps with it', async () => {
    const old = kek('old', '02')
    const dek = randomBytes(32)
    const wrapped = await createWalletWrapper({ keks: [old] }, randomBytes).wrap(dek, context)
    const keks: readonly Kek[] = [kek('other', '01'), { ...old, state: 'retired' }]
    const wrapper = createWalletWrapper({ keks }, randomBytes)
    expect(dek.equals(await wrapper.unwrap(wrapped, context))).toBe(true)
    expect(await wrapper.wrap(dek, context)).toMatchObject({ kekId: 'other' })
  })
})
