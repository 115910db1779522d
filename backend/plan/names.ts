import { createHash } from 'node:crypto'
import type { NameRules } from '../clouds/cloud.ts'

const REPLACEMENT = '\u{FFFD}'
/** From `!` to `~`, each character has a full-width twin at this distance. */
const TO_FULL_WIDTH = 0xfee0
const CONTROL_PICTURES = 0x2400
const DIGITS_OF_HASH = 8
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
// oxlint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007f]*$/
/** What follows the last dot (or `.tar.`), if it looks like an extension rather than the end of a sentence. */
const EXTENSION = /(?<=[^.])(?:\.tar)?\.[\p{L}\p{N}_-]{1,16}$/u

/**
 * Makes a name that the destination accepts out of any name, so that people recognise it: characters it refuses become
 * look-alikes, a name it reserves gets a `_`, and one too long is cut before its extension and carries a hash of the whole.
 * The same name always gives the same, and a legal name gives itself.
 *
 * @param rules of the destination; `longest` must be at least 40
 */
export function legalName(name: string, rules: NameRules): string {
  const wellFormed = name.toWellFormed()
  const composed = rules.composes ? wellFormed.normalize('NFC') : wellFormed
  const visible = isVisible(composed, rules)
    ? composed
    : Array.from(composed, (character) => lookAlike(character, rules)).join('')
  const named = namedSomehow(visible)
  const ended = endedWell(named, rules)
  const free = rules.reserved.includes(ended.toLowerCase()) ? beforeExtension(ended, '_') : ended
  if (free.length <= rules.longest) return free
  return fitted(free, `~${digest(name)}`, rules)
}

/**
 * @param sourceId id of the item at its source
 * @returns the legal name with a suffix made of the id, ` (~x7f3k2ab)`, for an item whose plain name is taken
 */
export function siblingName(name: string, sourceId: string, rules: NameRules): string {
  return fitted(legalName(name, rules), ` (~${digest(sourceId)})`, rules)
}

/**
 * @param date when the copy was made, as people and destinations take it: `2027-01-15 09.30.00`
 * @returns the legal name with the date, for a copy beside an older one of the same item
 */
export function datedName(name: string, date: string, rules: NameRules): string {
  return fitted(legalName(name, rules), ` (${date})`, rules)
}

/** @returns what two names at the destination have in common if, and only if, it takes them for one. */
export function comparableName(name: string, rules: NameRules): string {
  const decomposed = rules.composes ? name.normalize('NFD') : name
  const folded = rules.foldsCase ? foldCase(decomposed) : decomposed
  return rules.composes ? folded.normalize('NFC') : folded
}

/**
 * @param extension without its dot
 * @returns the name of an exported document: with the extension, unless it has it already
 */
export function exportName(name: string, extension: string): string {
  const suffix = `.${extension}`
  return name.toLowerCase().endsWith(suffix.toLowerCase()) ? name : `${name}${suffix}`
}

/** Whether each character is its own look-alike: most names, told in a glance. */
function isVisible(name: string, rules: NameRules): boolean {
  return !CONTROL.test(name) && !Array.from(rules.forbidden).some((each) => name.includes(each))
}

function lookAlike(character: string, rules: NameRules): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(CONTROL_PICTURES + code)
  if (code === 0x7f) return '\u{2421}'
  if (code > 0x7f && code < 0xa0) return REPLACEMENT
  return rules.forbidden.includes(character) ? twin(character, rules) : character
}

/** A character that looks like the one given and is allowed. */
function twin(character: string, rules: NameRules): string {
  const code = character.codePointAt(0) ?? 0
  const candidate = character === ' ' ? '\u{2420}' : String.fromCodePoint(code + TO_FULL_WIDTH)
  const isKnown = code >= 0x20 && code < 0x7f && !rules.forbidden.includes(candidate)
  return isKnown ? candidate : REPLACEMENT
}

function namedSomehow(name: string): string {
  if (name === '') return '_'
  return name === '.' || name === '..' ? name.replaceAll('.', '\u{FF0E}') : name
}

function endedWell(name: string, rules: NameRules): string {
  const last = name.at(-1) ?? ''
  return rules.forbiddenAtEnd.includes(last) ? `${name.slice(0, -1)}${twin(last, rules)}` : name
}

function beforeExtension(name: string, suffix: string): string {
  const extension = extensionOf(name)
  return `${name.slice(0, name.length - extension.length)}${suffix}${extension}`
}

function extensionOf(name: string): string {
  return EXTENSION.exec(name)?.[0] ?? ''
}

/** The name with the suffix before its extension, cut where a reader sees a border if it would be too long. */
function fitted(name: string, suffix: string, rules: NameRules): string {
  const extension = extensionOf(name)
  const stem = name.slice(0, name.length - extension.length)
  const room = rules.longest - suffix.length - extension.length
  const cut = stem.length <= room ? stem : cutAtBorder(stem, room)
  return `${cut}${suffix}${extension}`
}

function cutAtBorder(text: string, room: number): string {
  let end = 0
  for (const { index, segment } of new Intl.Segmenter('und').segment(text)) {
    if (index + segment.length > room) break
    end = index + segment.length
  }
  // One grapheme may be as long as one likes to make it: then at least no character is cut in two.
  if (end === 0) return text.slice(0, room).replace(/[\uD800-\uDBFF]$/, '')
  return text.slice(0, end)
}

/** Lower-case letters and digits, so that it means the same where case is folded. */
function digest(text: string): string {
  const bits = createHash('sha256').update(text).digest().readBigUInt64BE()
  return bits.toString(36).padStart(13, '0').slice(-DIGITS_OF_HASH)
}

/**
 * Full case folding. Character by character, since the lower case of a final sigma depends on what stands beside it;
 * down, up and down again, since `ẞ` and `ß` meet only as `ss`.
 */
function foldCase(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase()
  const fold = (character: string): string => character.toLowerCase().toUpperCase().toLowerCase()
  return Array.from(text, fold).join('')
}
