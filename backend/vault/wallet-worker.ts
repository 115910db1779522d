import { parentPort, workerData } from 'node:worker_threads'
import { Decrypter, Encrypter } from 'age-encryption'
import { decodeWalletContents, encodeWalletContents } from './wallet-contents.ts'
import type { WalletAnswer, WalletWork } from './wallet-sealing.ts'

// Runs in a thread of its own, once: scrypt takes 256 MiB and the passphrase has to become a string here. When the
// thread ends, all of it goes back to the system.

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

// The thread is started with nothing but its work: see wallet-sealing.ts.
const work: WalletWork = workerData
parentPort?.postMessage(await answer(work), [])
