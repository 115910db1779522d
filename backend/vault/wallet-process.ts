import { Decrypter, Encrypter } from 'age-encryption'
import { decodeWalletContents, encodeWalletContents } from './wallet-contents.ts'
import type { WalletAnswer, WalletWork } from './wallet-sealing.ts'

// Runs in a process of its own, once: scrypt takes 256 MiB and the passphrase has to become a string here. When the
// process ends, all of it goes back to the system; after a thread, some 40 MiB stayed behind.

async function answer(work: WalletWork): Promise<WalletAnswer> {
  const passphrase = Buffer.from(work.passphrase).toString()
  work.passphrase.fill(0)
  if (work.kind === 'seal') {
    const encrypter = new Encrypter()
    encrypter.setPassphrase(passphrase)
    encrypter.setScryptWorkFactor(work.workFactor)
    return { sealed: await encrypter.encrypt(encodeWalletContents(work.contents)) }
  }
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  try {
    return { contents: decodeWalletContents(await decrypter.decrypt(work.sealed)) }
  } catch (error) {
    // Out of memory says nothing about the file.
    if (!(error instanceof Error) || error.message.includes('allocation failed')) throw error
    // The file key did not open. Everything else goes wrong only after the passphrase was right.
    const wrong = error.message === "no identity matched any of the file's recipients"
    return { refused: wrong ? 'wrong_passphrase' : 'wallet_corrupt' }
  }
}

async function tell(work: WalletWork): Promise<void> {
  try {
    const done = await answer(work)
    process.send?.(done, () => process.disconnect())
  } catch {
    // Whoever asked sees that there is no answer; what went wrong may hold the passphrase.
    process.exit(1)
  }
}

// It is started with nothing, and gets its work as its only message: see wallet-sealing.ts.
process.once('message', (work: WalletWork) => {
  void tell(work)
})
