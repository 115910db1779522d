import { auditLineText } from '../../shared/audit.ts'
import type { AuditLine } from '../../shared/audit.ts'
import { auditLine } from '../../shared/audit-schema.ts'
import type { ErasureCertificate, ErasureStatement } from '../../shared/certificate.ts'
import { erasureCertificate, erasureStatement } from '../../shared/certificate-schema.ts'
import { WaybillError } from '../../shared/errors.ts'
import { signedHeads } from '../records/audit-chain.ts'
import { linesFrom } from '../records/audit-lines.ts'
import { inclusionPath, rootOfPath } from '../records/merkle-proof.ts'
import { leafHash } from '../records/merkle-tree.ts'
import type { Store } from '../store/store.ts'
import type { Signer } from '../vault/signer.ts'
import { formatKey, openNote, parseKey, signNote } from './signed-note.ts'
import type { VerifierKey } from './signed-note.ts'
import { parseHead } from './tree-head.ts'

/** That a log tells of something, for whoever has the line. */
export type InclusionProof = ErasureCertificate['proof'] & { readonly origin: string }

/**
 * Proves that a line is in its log. Reads the log up to the first signed head that covers it, and keeps a hash of each line.
 *
 * @param number the line's
 * @returns the proof; null as long as no signed head covers the line. Throws `audit_invalid` if lines are missing.
 */
export async function proveInclusion(
  store: Store,
  tenant: string,
  number: number,
): Promise<InclusionProof | null> {
  for await (const { size, note, key } of signedHeads(store, tenant)) {
    if (size <= number) continue
    const texts: string[] = []
    let own: string | null = null
    while (texts.length < size) {
      const found = await linesFrom(store, tenant, texts.length)
      for (const { line } of found.slice(0, size - texts.length)) {
        if (line.number !== texts.length) throw wrong('lines are missing in its log')
        const text = auditLineText(line)
        if (line.number === number) own = text
        texts.push(leafHash(text))
      }
      if (found.length === 0) throw wrong('lines are missing in its log')
    }
    const parsed = parseKey(key)
    if (own === null || parsed === null) throw wrong('its log is damaged')
    return { origin: parsed.name, line: own, path: inclusionPath(texts, number), head: note, key }
  }
  return null
}

/**
 * @param host as in the names of logs
 * @param proof that the log tells of it
 * @returns the certificate; throws what the signer throws
 */
export async function signCertificate(
  statement: Omit<ErasureStatement, 'log'>,
  { origin, ...proof }: InclusionProof,
  { host, signer }: { readonly host: string; readonly signer: Signer },
): Promise<ErasureCertificate> {
  const { sealedHash } = lineIn(proof.line)
  const whole: ErasureStatement = { ...statement, log: { origin, sealedHash } }
  const name = `${host}/erasures`
  const { note, key } = await signNote(`${name}\n${JSON.stringify(whole)}\n`, name, signer)
  return { note, key: formatKey(key), proof }
}

/** A certificate that says what is true. */
export interface VerifiedCertificate {
  readonly statement: ErasureStatement
  /** The key that signed it, as text, and the head of its log. */
  readonly key: string
  /** The line's number in the log. */
  readonly line: number
}

/**
 * Verifies a certificate without asking anybody: the signature, and that the log whose head is signed by the same key, or
 * by one that is known, has a line of this erasure.
 *
 * @param text the JSON of the certificate
 * @param known the keys that may have signed, as texts; without any, the one that it brings along is believed
 * @throws WaybillError `audit_invalid`, which says what is wrong; `invalid_request` if a known key is none
 */
export function verifyCertificate(
  text: string,
  known: readonly string[] = [],
): VerifiedCertificate {
  const given = known.map((each) => parseKey(each.trim()))
  if (given.includes(null))
    throw new WaybillError('invalid_request', 'A key is written like NAME+ID+KEY.')
  const certificate = read(erasureCertificate.safeParse(jsonIn(text)), 'it is not a certificate')
  const brought = keyIn(certificate.key)
  const trusted = given.length === 0 ? [brought] : given.filter((each) => each !== null)
  const by = trusted.find((each) => formatKey(each) === formatKey(brought))
  if (by === undefined) throw wrong('it is signed by none of the keys it is verified with')
  const [name, json, ...more] = signedText(certificate.note, by, 'its signature').split('\n')
  if (name !== by.name || more.length !== 1 || more[0] !== '')
    throw wrong('what is signed is not a statement')
  const statement = read(erasureStatement.safeParse(jsonIn(json ?? '')), 'it says nothing we know')
  return { statement, key: formatKey(by), line: verifyProof(certificate, statement, trusted) }
}

function verifyProof(
  { proof }: ErasureCertificate,
  { log, erasure }: ErasureStatement,
  trusted: readonly VerifierKey[],
): number {
  const key = keyIn(proof.key)
  const isTrusted = trusted.some((each) => Buffer.from(each.publicKey).equals(key.publicKey))
  if (!isTrusted || key.name !== log.origin) throw wrong('the head of its log is not signed by it')
  const head = parseHead(signedText(proof.head, key, 'the signature of the head'))
  if (head === null || head.origin !== log.origin) throw wrong('the head is that of another log')
  const line = lineIn(proof.line)
  if (line.act !== 'user_erased' || line.sealedHash !== log.sealedHash)
    throw wrong(`the line of the log does not tell of the erasure ${erasure}`)
  const place = { index: line.number, size: head.size }
  if (rootOfPath(leafHash(proof.line), place, proof.path) !== head.root)
    throw wrong('the line is not in the log that the head was signed for')
  return line.number
}

function signedText(note: string, key: VerifierKey, what: string): string {
  const opened = openNote(note, [key])
  if (opened.kind !== 'signed') throw wrong(`${what} is not right`)
  return opened.text
}

function lineIn(text: string): AuditLine {
  const line = read(auditLine.safeParse(jsonIn(text)), 'the line of the log is none')
  if (auditLineText(line) !== text) throw wrong('the line of the log is not written as lines are')
  return line
}

function keyIn(text: string): VerifierKey {
  const key = parseKey(text)
  if (key === null) throw wrong('its key is not one of the kind that signs')
  return key
}

function read<T>(
  parsed: { readonly success: true; readonly data: T } | { readonly success: false },
  otherwise: string,
): T {
  if (!parsed.success) throw wrong(otherwise)
  return parsed.data
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw wrong('it is not JSON')
  }
}

function wrong(what: string): WaybillError {
  return new WaybillError('audit_invalid', `The certificate does not hold: ${what}.`)
}
