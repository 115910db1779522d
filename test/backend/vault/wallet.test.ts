import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Decrypter, Encrypter } from 'age-encryption'
import { spawn } from 'node:child_process'
import { createPublicKey, randomBytes, randomInt, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { walletFiles } from '../../../backend/vault/wallet-file.ts'
import type { WalletFiles } from '../../../backend/vault/wallet-file.ts'
import {
  addKek,
  changePassphrase,
  createWallet,
  openWallet,
} from '../../../backend/vault/wallet.ts'
import type { Wallet, WalletEffects } from '../../../backend/vault/wallet.ts'
import { WaybillError } from '../../../shared/errors.ts'

const present = Buffer.from('correct horse battery staple')
const next = Buffer.from('six other random words of mine')
const effects: WalletEffects = {
  files: walletFiles,
  random: randomBytes,
  now: () => Date.parse('2026-11-20T12:00:00Z'),
  workFactor: 4,
}
const later = { ...effects, now: () => Date.parse('2026-12-24T12:00:00Z') }

let folder: string
let path: string

// One wallet, made once: each test begins with a copy, since every opening costs a process.
let made: Wallet
let whole: Buffer

beforeAll(async () => {
  const own = await mkdtemp(join(tmpdir(), 'wallet-'))
  made = await createWallet(join(own, 'wallet.age'), present, effects)
  whole = await readFile(join(own, 'wallet.age'))
  await rm(own, { recursive: true })
})

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wallet-'))
  path = join(folder, 'wallet.age')
  await writeFile(path, whole)
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** The keys of a wallet as comparable text. */
function keysOf({ keks, signKeys }: Wallet): readonly string[] {
  return [
    ...keks.map(({ key }) => key.export().toString('hex')),
    ...signKeys.map(({ key }) => key.export({ format: 'der', type: 'pkcs8' }).toString('hex')),
  ]
}

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
    return 'done'
  } catch (error) {
    if (error instanceof WaybillError) return error.code
    throw error
  }
}

function open(passphrase: Uint8Array): Promise<Wallet> {
  return openWallet(path, passphrase, effects)
}

/** Seals any payload the way the `age` tool would. */
async function writeAgeFile(payload: string, workFactor = 4): Promise<void> {
  const encrypter = new Encrypter()
  encrypter.setPassphrase(present.toString())
  encrypter.setScryptWorkFactor(workFactor)
  await writeFile(path, await encrypter.encrypt(payload))
}

describe('wallet', () => {
  it('opens with its passphrase and holds the keys it was made with', async () => {
    const opened = await open(present)
    expect(keysOf(opened)).toEqual(keysOf(made))
    expect(opened).toMatchObject({
      keks: [{ state: 'active', created: '2026-11-20T12:00:00.000Z' }],
      signKeys: [{ created: '2026-11-20T12:00:00.000Z' }],
      created: '2026-11-20T12:00:00.000Z',
      passphraseSetAt: '2026-11-20T12:00:00.000Z',
    })
  })

  it('holds a key of 32 bytes and an Ed25519 key that signs', async () => {
    const { keks, signKeys } = made
    expect(keks.map(({ key }) => key.symmetricKeySize)).toEqual([32])
    const [signKey] = signKeys
    if (signKey === undefined) throw new Error('no signing key')
    expect(signKey.key.asymmetricKeyType).toBe('ed25519')
    const signature = sign(null, Buffer.from('receipt'), signKey.key)
    expect(verify(null, Buffer.from('receipt'), createPublicKey(signKey.key), signature)).toBe(true)
  })

  it('is a standard age file that any age tool opens', async () => {
    const decrypter = new Decrypter()
    decrypter.addPassphrase(present.toString())
    const payload: unknown = JSON.parse(await decrypter.decrypt(await readFile(path), 'text'))
    const key = Buffer.from(keysOf(made)[0] ?? '', 'hex').toString('base64url')
    expect(payload).toMatchObject({ v: 1, keks: [{ key, state: 'active' }], signKeys: [{}] })
  })

  it('asks scrypt for 2^18 rounds, and gives the memory back', async () => {
    const { files, random, now } = effects
    await rm(path)
    const strong = await createWallet(path, present, { files, random, now })
    const [, stanza = ''] = (await readFile(path, 'latin1')).split('\n')
    expect(stanza).toMatch(/^-> scrypt \S{22} 18$/)
    const before = process.memoryUsage.rss()
    expect(keysOf(await open(present))).toEqual(keysOf(strong))
    // Those rounds take 256 MiB, which must not stay with the process.
    expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(128)
  })

  it('can be read and written by its owner only', async () => {
    await rm(path)
    await createWallet(path, present, effects)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await changePassphrase(path, { present, next }, effects)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['wallet.age'])
  })

  it('is never made over another one', async () => {
    expect(await codeOf(createWallet(path, next, effects))).toBe('wallet_exists')
    expect(keysOf(await open(present))).toEqual(keysOf(made))
    expect(await readdir(folder)).toEqual(['wallet.age'])
  })

  it('takes no weak passphrase', async () => {
    const weak = Buffer.from('hunter2')
    const other = join(folder, 'other.age')
    expect(await codeOf(createWallet(other, weak, effects))).toBe('passphrase_weak')
    expect(await readdir(folder)).toEqual(['wallet.age'])
    const change = changePassphrase(path, { present, next: weak }, effects)
    expect(await codeOf(change)).toBe('passphrase_weak')
    expect(await codeOf(open(present))).toBe('done')
  })

  it('is missing when it is not there', async () => {
    await rm(path)
    expect(await codeOf(open(present))).toBe('wallet_missing')
    expect(await codeOf(changePassphrase(path, { present, next }, effects))).toBe('wallet_missing')
  })

  it('leaves the passphrase with its owner', async () => {
    const mine = Buffer.from(present)
    await open(mine)
    await addKek(path, mine, effects)
    expect(mine.equals(present)).toBe(true)
  })

  it('gains a KEK and keeps the ones it has', async () => {
    const grown = await addKek(path, present, later)
    expect(grown.keks.map(({ created }) => created.slice(0, 10))).toEqual([
      '2026-11-20',
      '2026-12-24',
    ])
    expect(keysOf(grown)).toEqual(expect.arrayContaining([...keysOf(made)]))
    expect(keysOf(await open(present))).toEqual(keysOf(grown))
  })
})

describe('a wallet that does not open', () => {
  it('says so when the passphrase is wrong', async () => {
    expect(await codeOf(open(next))).toBe('wrong_passphrase')
    expect(await codeOf(open(Buffer.alloc(0)))).toBe('wrong_passphrase')
    const change = changePassphrase(path, { present: next, next: present }, effects)
    expect(await codeOf(change)).toBe('wrong_passphrase')
  })

  it('says so when it is damaged: wherever a byte was changed it never opens', async () => {
    const header = whole.indexOf('\n--- ') + 1
    const places = [0, 22, 25, header + 6, header + 50, header + 70, whole.length - 1]
    const codes = []
    for (const at of places) {
      // oxlint-disable-next-line no-await-in-loop
      await writeFile(path, whole.with(at, (whole[at] ?? 0) ^ 1))
      // oxlint-disable-next-line no-await-in-loop
      codes.push(await codeOf(open(present)))
    }
    expect(codes).toEqual(places.map(() => 'wallet_corrupt'))
    // The salt and the wrapped file key are guarded by nothing but the passphrase.
    await writeFile(path, whole.with(40, whole[40] === 65 ? 66 : 65))
    expect(await codeOf(open(present))).toBe('wrong_passphrase')
  })

  it('says so when it was cut, lengthened, emptied or is something else', async () => {
    const contents = [
      whole.subarray(0, -1),
      whole.subarray(0, 170),
      whole.subarray(0, 100),
      whole.subarray(0, 0),
      Buffer.concat([whole, Buffer.alloc(1)]),
      Buffer.concat([whole, Buffer.alloc(2 ** 21)]),
      Buffer.from('{"v":1}'),
      randomBytes(600),
    ]
    const codes = []
    for (const content of contents) {
      // oxlint-disable-next-line no-await-in-loop
      await writeFile(path, content)
      // oxlint-disable-next-line no-await-in-loop
      codes.push(await codeOf(open(present)))
    }
    expect(codes).toEqual(contents.map(() => 'wallet_corrupt'))
  })

  it('is refused before any work when it asks for more than 2^20 rounds', async () => {
    const bomb = (await readFile(path, 'latin1')).replace(/ 4\n/, ' 21\n')
    await writeFile(path, bomb, 'latin1')
    await expect(open(present)).rejects.toMatchObject({
      code: 'wallet_corrupt',
      message: expect.stringContaining('too much memory'),
    })
  })

  it.each(['hello', '{}', '{"v":2,"keks":[]}', '[]', '\u0000'])(
    'says so when the age file holds %j',
    async (payload) => {
      await writeAgeFile(payload)
      expect(await codeOf(open(present))).toBe('wallet_corrupt')
    },
  )

  it('says nothing of what it found', async () => {
    await writeAgeFile('{"secret":"canary"}')
    const error = await open(present).catch((caught: unknown) => caught)
    expect(String(error)).not.toMatch(/canary|node_modules|\n/)
  })
})

/** File operations that all fail from step number `crash` on, as if the process had died there. */
function crashingAt(crash: number) {
  const steps: string[] = []
  const guard =
    <Arguments extends readonly unknown[], Result>(
      name: string,
      operation: (...args: Arguments) => Promise<Result>,
    ) =>
    async (...args: Arguments): Promise<Result> => {
      if (steps.length === crash) throw new Error('crash')
      steps.push(name)
      return operation(...args)
    }
  const files: WalletFiles = {
    read: guard('read', (file) => walletFiles.read(file)),
    create: guard('create', (file, bytes) => walletFiles.create(file, bytes)),
    sync: guard('sync', (file) => walletFiles.sync(file)),
    rename: guard('rename', (from, to) => walletFiles.rename(from, to)),
    link: guard('link', (from, to) => walletFiles.link(from, to)),
    remove: guard('remove', (file) => walletFiles.remove(file)),
    syncDirectoryOf: guard('syncDirectoryOf', (file) => walletFiles.syncDirectoryOf(file)),
  }
  return { files, steps }
}

const stepsOfChange = ['read', 'remove', 'create', 'sync', 'read', 'rename', 'syncDirectoryOf']

describe('a change of passphrase', () => {
  it('opens with the next one afterwards, with the same keys', async () => {
    await changePassphrase(path, { present, next }, later)
    const opened = await open(next)
    expect(keysOf(opened)).toEqual(keysOf(made))
    expect(opened.created).toBe('2026-11-20T12:00:00.000Z')
    expect(opened.passphraseSetAt).toBe('2026-12-24T12:00:00.000Z')
    expect(await codeOf(open(present))).toBe('wrong_passphrase')
  })

  it('brings the new file to the disk and reads it back before it takes its place', async () => {
    const { files, steps } = crashingAt(Infinity)
    await changePassphrase(path, { present, next }, { ...effects, files })
    expect(steps).toEqual(stepsOfChange)
  })

  it.each([...stepsOfChange, 'the end'].map((name, step) => ({ name, step })))(
    'that dies before step $step ($name) leaves a wallet that opens',
    async ({ step }) => {
      const { files } = crashingAt(step)
      const change = changePassphrase(path, { present, next }, { ...effects, files })
      expect(await change.then(() => 'changed', String)).toBe(step < 7 ? 'Error: crash' : 'changed')
      expect(keysOf(await open(step <= stepsOfChange.indexOf('rename') ? present : next))).toEqual(
        keysOf(made),
      )
    },
  )

  it('is not hindered by what an earlier crash left behind', async () => {
    await writeFile(`${path}.tmp`, whole.subarray(0, 99))
    await changePassphrase(path, { present, next }, effects)
    expect(keysOf(await open(next))).toEqual(keysOf(made))
    expect(await readdir(folder)).toEqual(['wallet.age'])
  })

  it('keeps the old file when the new one does not read back', async () => {
    const files: WalletFiles = {
      ...walletFiles,
      create: (file, bytes) => walletFiles.create(file, bytes.subarray(1)),
    }
    const change = changePassphrase(path, { present, next }, { ...effects, files })
    expect(await codeOf(change)).toBe('wallet_corrupt')
    expect(keysOf(await open(present))).toEqual(keysOf(made))
    expect(await readdir(folder)).toEqual(['wallet.age'])
  })

  it('killed at any moment leaves a wallet that opens with one of the two', async () => {
    const child = fileURLToPath(new URL('wallet-child.ts', import.meta.url))
    for (let round = 0; round < 5; round += 1) {
      const args = [child, path, present.toString(), next.toString()]
      const running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      /* oxlint-disable no-await-in-loop */
      await once(running.stdout, 'data')
      await setTimeout(randomInt(700))
      running.kill('SIGKILL')
      const [, signal] = await once(running, 'exit')
      expect(signal).toBe('SIGKILL')
      const withPresent = await codeOf(open(present))
      const opened = await open(withPresent === 'done' ? present : next)
      expect(keysOf(opened)).toEqual(keysOf(made))
      if (withPresent !== 'done')
        await changePassphrase(path, { present: next, next: present }, effects)
      /* oxlint-enable no-await-in-loop */
    }
  })
})
