import { WaybillError } from '../../shared/errors.ts'

const deepest = 32
const mostKeys = 1_000
const mostItems = 10_000
const poisonous: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

// Strings and the marks between values; numbers and words between them do not matter here.
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g

/**
 * Reads JSON (RFC 8259) as `JSON.parse` does, and refuses what two readers may understand differently: bytes that are
 * not UTF-8, a key that comes twice in an object, half a surrogate pair; also keys that reach into prototypes, nesting
 * deeper than 32, more than 1,000 keys and lists of more than 10,000 items.
 *
 * @throws WaybillError `invalid_request`; the message holds nothing of the text
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    checkKeys(text)
    return value
  } catch (error) {
    if (error instanceof WaybillError) throw error
    throw refused('is not valid JSON')
  }
}

/** `text` is known to be JSON, so its tokens come in an order that makes sense. */
function checkKeys(text: string): void {
  const open: (Set<string> | null)[] = []
  let keys = 0
  let commas = 0
  let atKey = false
  for (const [mark] of text.matchAll(token)) {
    if (mark === '{' || mark === '[') {
      if (open.push(mark === '{' ? new Set() : null) > deepest)
        throw refused('is nested too deeply')
      atKey = mark === '{'
    } else if (mark === '}' || mark === ']') {
      open.pop()
      atKey = false
    } else if (mark === ',') {
      // No list is longer than all lists and objects together.
      if ((commas += 1) >= mostItems) throw refused('has too many items')
      atKey = open.at(-1) instanceof Set
    } else {
      const string: unknown = JSON.parse(mark)
      if (typeof string !== 'string' || !string.isWellFormed())
        throw refused('holds text that is not Unicode')
      if (!atKey) continue
      atKey = false
      keys += 1
      if (keys > mostKeys) throw refused('has too many fields')
      if (poisonous.has(string)) throw refused('has a field with a reserved name')
      if (open.at(-1)?.has(string) === true) throw refused('has the same field twice')
      open.at(-1)?.add(string)
    }
  }
}

function refused(what: string): WaybillError {
  return new WaybillError('invalid_request', `The body ${what}.`)
}
