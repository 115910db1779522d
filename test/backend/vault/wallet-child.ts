import { randomBytes } from 'node:crypto'
import { changePassphrase } from '../../../backend/vault/wallet.ts'
import { walletFiles } from '../../../backend/vault/wallet-file.ts'

// Changes the passphrase of a wallet to and fro until it is killed. Arguments: the wallet and its two passphrases
// (test values: real ones never are arguments).
const [path = '', present = '', next = ''] = process.argv.slice(2)
const effects = { files: walletFiles, random: randomBytes, now: () => Date.now(), workFactor: 4 }
const both = [Buffer.from(present), Buffer.from(next)] as const

process.stdout.write('ready\n')
for (;;) {
  // oxlint-disable-next-line no-await-in-loop
  await changePassphrase(path, { present: both[0], next: both[1] }, effects)
  // oxlint-disable-next-line no-await-in-loop
  await changePassphrase(path, { present: both[1], next: both[0] }, effects)
}
