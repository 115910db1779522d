import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { walletFiles } from '../../../backend/vault/wallet-file.ts'
import { createWallet, openWallet } from '../../../backend/vault/wallet.ts'

const passphrase = Buffer.from('seven llamas paint velvet canoes')
const effects = {
  files: walletFiles,
  random: (count: number) => randomBytes(count),
  now: Date.now,
  workFactor: 10,
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wallet-place-'))
  await writeFile(join(folder, 'file'), 'x')
})
afterEach(async () => rm(folder, { recursive: true, force: true }))

it.each([
  ['a folder', '.', 'it is a folder'],
  ['a path through a file', 'file/wallet.age', 'a part of the path is a file'],
])('says what is wrong with %s as the place of a wallet to open', async (_name, place, why) => {
  await expect(openWallet(join(folder, place), passphrase, effects)).rejects.toMatchObject({
    code: 'settings_invalid',
    message: expect.stringContaining(why),
  })
})

it('says that the folder of a new wallet does not exist', async () => {
  const path = join(folder, 'nowhere', 'wallet.age')
  await expect(createWallet(path, passphrase, effects)).rejects.toMatchObject({
    code: 'settings_invalid',
    message: expect.stringContaining('the folder does not exist'),
  })
})

it('says that the disk is full', async () => {
  const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  const files = { ...walletFiles, create: async () => Promise.reject(full) }
  const path = join(folder, 'wallet.age')
  await expect(createWallet(path, passphrase, { ...effects, files })).rejects.toMatchObject({
    code: 'store_full',
  })
})
