import { createHash } from 'node:crypto'
import { auditLineText } from '../../shared/audit.ts'
import type { AuditEntry, AuditExport } from '../../shared/audit.ts'
import { auditExport } from '../../shared/audit-schema.ts'
import { WaybillError } from '../../shared/errors.ts'
import { createTree, leafHash } from '../records/merkle-tree.ts'
import { formatKey, openNote, parseKey } from './signed-note.ts'
import type { VerifierKey } from './signed-note.ts'
import { parseHead } from './tree-head.ts'
import type { TreeHead } from './tree-head.ts'

/** What an exported log says that is true of it. */
export interface VerifiedLog {
  readonly origin: string
  readonly lines: number
  readonly heads: number
  /** As hex. */
  readonly root: string
  /** Those that signed its heads, as texts. */
  readonly keys: readonly string[]
}

/** What is known from elsewhere. */
export interface Known {
  /** The keys that may have signed, as texts. Without any, those that the log brings along are believed. */
  readonly keys?: readonly string[]
  /** A head that was got earlier, with its signature: the log has to go on from there. */
  readonly head?: string
}

/**
 * Verifies an exported log without asking anybody: each line's number, its hash in the next one, its details as they are
 * sealed and as they are opened, the tree at each head, and the heads' signatures. So each head is consistent with those
 * before it. What is cut off together with the heads that cover it shows only against a head that is known from
 * elsewhere.
 *
 * @param texts its lines without line ends
 * @throws WaybillError `audit_invalid`, which says at which line what is wrong; `invalid_request` if `known` is no key or
 * head
 */
export async function verifyLog(
  texts: AsyncIterable<string> | Iterable<string>,
  known: Known = {},
): Promise<VerifiedLog> {
  const given = known.keys?.map(keyFrom)
  const brought: VerifierKey[] = []
  const by = new Set<string>()
  const tree = createTree()
  let [at, count, heads] = [0, 0, 0]
  let prev: string | null = null
  let newest: TreeHead | null = null
  const earlier = new Map<number, string>()
  const expected = headExpected(known, given)

  for await (const text of texts) {
    at += 1
    const entry = parse(text, at)
    if ('key' in entry) {
      if (count > 0 || heads > 0) throw wrong(at, 'a key stands behind what it is to verify')
      const key = parseKey(entry.key)
      if (key === null) throw wrong(at, 'it is not a key of the kind that signs heads')
      brought.push(key)
    } else if ('head' in entry) {
      const { head, keys } = verifyHead(entry.head, at, given ?? brought)
      for (const key of keys) by.add(formatKey(key))
      if (newest !== null && head.origin !== newest.origin)
        throw wrong(at, 'the head is that of another log')
      if (newest !== null && head.size <= newest.size)
        throw wrong(at, `the head is of ${head.size} acts, as many as an earlier one or fewer`)
      if (head.size !== count)
        throw wrong(at, `the head is of ${head.size} acts, but ${count} stand before it`)
      if (head.root !== tree.root())
        throw wrong(at, 'the root over the acts before the head is not the one that was signed')
      newest = head
      heads += 1
    } else {
      verifyEntry(entry, at, count, prev)
      const line = auditLineText(entry.line)
      prev = leafHash(line)
      tree.add(line)
      count += 1
      if (count === expected?.size) earlier.set(count, tree.root())
    }
  }
  if (newest === null) throw wrong(at, 'no signed head is in the file')
  if (newest.size !== count)
    throw wrong(at, `the file ends with ${count - newest.size} acts that no head covers`)
  if (expected !== null) compare(expected, newest, earlier)
  return { origin: newest.origin, lines: count, heads, root: newest.root, keys: [...by] }
}

function verifyEntry(entry: AuditEntry, at: number, number: number, prev: string | null): void {
  const { line, sealed, details } = entry
  if (line.number !== number)
    throw wrong(at, `the act has the number ${line.number} in the place of ${number}`)
  if (line.prev !== prev)
    throw wrong(at, `act ${number} does not follow the one before it as that stands here`)
  if (sealed !== null && sha256(Buffer.from(sealed, 'base64url')) !== line.sealedHash)
    throw wrong(at, `the sealed details of act ${number} are not those that were written`)
  // What is opened must come from what is sealed, which only a line that still has both can show.
  if (details !== null && sha256(JSON.stringify(details)) !== line.detailsHash)
    throw wrong(at, `the details of act ${number} are not those that were written`)
}

function verifyHead(
  note: string,
  at: number,
  keys: readonly VerifierKey[],
): { readonly head: TreeHead; readonly keys: readonly VerifierKey[] } {
  const opened = openNote(note, keys)
  if (opened.kind === 'malformed') throw wrong(at, 'the head is not a signed note')
  if (opened.kind === 'forged') throw wrong(at, 'the signature of the head is not right')
  if (opened.kind === 'unknown')
    throw wrong(at, 'the head is signed by none of the keys it is verified with')
  const head = parseHead(opened.text)
  if (head === null) throw wrong(at, 'the signed note is not a tree head')
  // Else a key could sign for any log, and one tenant's be shown to another.
  if (!opened.by.every(({ name }) => name === head.origin))
    throw wrong(at, 'the head is signed by the key of another log')
  return { head, keys: opened.by }
}

function headExpected({ head }: Known, given: readonly VerifierKey[] | undefined): TreeHead | null {
  if (head === undefined) return null
  const opened = given === undefined ? null : openNote(head, given)
  const text = opened?.kind === 'signed' ? opened.text : null
  const parsed = text === null ? null : parseHead(text)
  if (parsed !== null) return parsed
  throw new WaybillError(
    'invalid_request',
    'The head to compare with is not one that a given key has signed.',
  )
}

function compare(expected: TreeHead, newest: TreeHead, roots: ReadonlyMap<number, string>): void {
  const message = (text: string) => new WaybillError('audit_invalid', text)
  if (expected.origin !== newest.origin)
    throw message('The head to compare with is that of another log.')
  if (expected.size > newest.size)
    throw message(
      `The log has ${newest.size} acts, but had ${expected.size} when the head to compare with was signed.`,
    )
  if (expected.size > 0 && roots.get(expected.size) !== expected.root)
    throw message(
      `The first ${expected.size} acts are not those that the head to compare with was signed for.`,
    )
}

function keyFrom(text: string): VerifierKey {
  const key = parseKey(text.trim())
  if (key !== null) return key
  throw new WaybillError(
    'invalid_request',
    'A key is written like NAME+ID+KEY, as the first line of an exported log has it.',
  )
}

function parse(text: string, at: number): AuditExport {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw wrong(at, 'it is not JSON', error)
  }
  const parsed = auditExport.safeParse(value)
  if (!parsed.success) throw wrong(at, 'it is not a line of an audit log', parsed.error)
  return parsed.data
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function wrong(at: number, what: string, cause?: unknown): WaybillError {
  return new WaybillError('audit_invalid', `Line ${at}: ${what}.`, { cause })
}
