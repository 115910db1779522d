import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import {
  formatKey,
  openNote,
  parseKey,
  signNote,
  verifierKey,
} from '../../../backend/audit/signed-note.ts'
import { headText, parseHead } from '../../../backend/audit/tree-head.ts'
import type { Signer } from '../../../backend/vault/signer.ts'

/*
 * What Go's own tests of signed notes take for right:
 * https://cs.opensource.google/go/x/mod/+/master:sumdb/note/note_test.go
 */
const name = 'PeterNeumann'
const keyText = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const otherKeyText = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop'
const seed = Buffer.from('gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM', 'base64')
const text =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n"
const signature =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
const otherSignature =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n'
const note = `${text}\n${signature}`

// RFC 8410 §7: the seed in its ASN.1 wrapping.
const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
  format: 'der',
  type: 'pkcs8',
})
const signer: Signer = {
  publicKey: async () => {
    const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
    return Uint8Array.from(Buffer.from(x, 'base64url'))
  },
  sign: async (bytes) => Uint8Array.from(sign(null, bytes, privateKey)),
}

function key(of: string) {
  const parsed = parseKey(of)
  if (parsed === null) throw new Error('it is a key')
  return parsed
}
const peter = key(keyText)
const enoch = key(otherKeyText)

describe('a signed note', () => {
  it('is byte for byte the published one', async () => {
    const made = await signNote(text, name, signer)
    expect(made.note).toBe(note)
    expect(formatKey(made.key)).toBe(keyText)
  })

  it('opens with the key that signed it, and names it', () => {
    expect(openNote(note, [peter])).toEqual({ kind: 'signed', text, by: [peter] })
    const both = `${note}${otherSignature}`
    expect(openNote(both, [peter])).toMatchObject({ kind: 'signed', by: [peter] })
    expect(openNote(both, [peter, enoch])).toMatchObject({ kind: 'signed', by: [peter, enoch] })
  })

  it('is of unknown origin without that key, also with another of its name', () => {
    expect(openNote(note, [])).toEqual({ kind: 'unknown' })
    expect(openNote(note, [enoch])).toEqual({ kind: 'unknown' })
    expect(openNote(note, [verifierKey(name, enoch.publicKey)])).toEqual({ kind: 'unknown' })
  })

  it('is forged when a known key has not signed this text', () => {
    const forged = { kind: 'forged' }
    expect(openNote(note.replace('cryptography', 'Cryptography'), [peter])).toEqual(forged)
    const other = `${text}\n${signature}${otherSignature.replace('zmZa0', 'zmZa1')}`
    expect(openNote(other, [peter, enoch])).toEqual(forged)
    // Shorter or longer than a signature.
    const lengthened = `${signature.slice(0, 60)}ABCD${signature.slice(60)}`
    expect(openNote(`${text}\n${lengthened}`, [peter])).toEqual(forged)
  })

  it.each([
    ['no signature', text],
    ['no signature line', `${text}\n`],
    ['no line end', note.slice(0, -1)],
    ['a control character', `\u0001${note}`],
    ['a name with a space', note.replace('— PeterNeumann', '— Peter Neumann')],
    ['a name with a plus', note.replace('— PeterNeumann', '— Peter+Neumann')],
    ['another line among the signatures', `${note}Unexpected line.\n`],
    ['sloppy base64', note.replace('JnAM=', 'JnAN=')],
    ['too many signatures', `${text}\n${signature.repeat(17)}`],
  ])('is malformed with %s', (_what, malformed) => {
    expect(openNote(malformed, [peter])).toEqual({ kind: 'malformed' })
  })

  it('is not made of a text that could be taken for another', async () => {
    for (const unfit of ['no line end', 'a\rb\n', 'a\tb\n', '\ud800\n'])
      await expect(signNote(unfit, name, signer)).rejects.toMatchObject({ code: 'internal' })
    await expect(signNote(text, 'two words', signer)).rejects.toMatchObject({ code: 'internal' })
  })
})

describe('the text of a key', () => {
  it('is read and written the same', () => {
    expect(formatKey(key(keyText))).toBe(keyText)
    expect(formatKey(key(otherKeyText))).toBe(otherKeyText)
  })

  it('is refused with any part of it gone or changed', () => {
    const parts: string[] = []
    for (let from = 0; from < keyText.length; from += 1)
      for (let to = from + 1; to <= keyText.length; to += 1) parts.push(keyText.slice(from, to))
    expect(parts.filter((part) => parseKey(part) !== null)).toEqual([keyText])
    for (let at = 0; at < keyText.length; at += 1) {
      const next = String.fromCharCode(keyText.charCodeAt(at) + 1)
      expect(parseKey(keyText.slice(0, at) + next + keyText.slice(at + 1))).toBeNull()
    }
    // A key of another length, and of another kind, with the ids that they would have.
    expect(
      parseKey('PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=='),
    ).toBeNull()
    expect(
      parseKey('PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'),
    ).toBeNull()
  })
})

describe('a tree head', () => {
  // The example of https://c2sp.org/tlog-checkpoint
  const example =
    'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'
  const head = {
    origin: 'example.com/behind-the-sofa',
    size: 20_852_163,
    root: '0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62',
  }

  it('is written and read as the published one', () => {
    expect(headText(head)).toBe(example)
    expect(parseHead(example)).toEqual(head)
  })

  it.each([
    ['without an origin', example.replace(head.origin, '')],
    ['with zeros before its size', example.replace('20852163', '020852163')],
    ['with a size of more than it could have', example.replace('20852163', '1'.repeat(16))],
    ['with half a root', example.replace('CsUYapGGPo4dkMgIAUqom/', '')],
    ['with more lines', `${example}more\n`],
    ['without an end', example.slice(0, -1)],
    ['with nothing in it', ''],
  ])('is none %s', (_what, changed) => {
    expect(parseHead(changed)).toBeNull()
  })
})
