import { invalidParameter } from './errors.ts'

/** A parsed `fields`: the wanted names, each with the wanted names inside it. Null wants everything. */
export type FieldMask = ReadonlyMap<string, FieldMask> | null

/**
 * Parses `a,b(c,d/e),f/*`, https://developers.google.com/workspace/drive/api/guides/fields-parameter.
 * Throws Google's refusal with status 400 when it is no mask.
 */
export function parseFieldMask(text: string): FieldMask {
  let at = 0

  function list(): FieldMask {
    const names = new Map<string, FieldMask>()
    let everything = false
    for (;;) {
      const [name, below] = entry()
      if (name === '*') everything = true
      else names.set(name, names.has(name) ? merged(names.get(name) ?? null, below) : below)
      if (text[at] !== ',') break
      at++
    }
    return everything ? null : names
  }

  function entry(): readonly [string, FieldMask] {
    const found = /^\s*(\*|[A-Za-z][A-Za-z0-9_-]*)\s*/.exec(text.slice(at, at + 100))
    if (found?.[1] === undefined) throw invalidFields(text)
    at += found[0].length
    if (text[at] === '/') {
      at++
      const [name, below] = entry()
      return [found[1], name === '*' ? null : new Map([[name, below]])]
    }
    if (text[at] !== '(') return [found[1], null]
    at++
    const below = list()
    if (text[at] !== ')') throw invalidFields(text)
    at++
    return [found[1], below]
  }

  const mask = list()
  if (at !== text.length) throw invalidFields(text)
  return mask
}

function merged(a: FieldMask, b: FieldMask): FieldMask {
  if (a === null || b === null) return null
  const both = new Map(a)
  for (const [name, below] of b)
    both.set(name, both.has(name) ? merged(both.get(name) ?? null, below) : below)
  return both
}

/** Whether `name` is wanted. */
export function wants(mask: FieldMask, name: string): boolean {
  return mask === null || mask.has(name)
}

/** What is wanted inside `name`. */
export function inside(mask: FieldMask, name: string): FieldMask {
  return mask === null ? null : (mask.get(name) ?? null)
}

/** A copy of `json` with only what is wanted; arrays are masked element by element. */
export function masked(json: object, mask: FieldMask): Readonly<Record<string, unknown>> {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(json))
    if (wants(mask, name)) kept[name] = maskedValue(value, inside(mask, name))
  return kept
}

/** The same for a value that may also be an array or no object at all. */
export function maskedValue(value: unknown, mask: FieldMask): unknown {
  if (mask === null || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((element) => maskedValue(element, mask))
  return masked(value, mask)
}

/** Throws Google's refusal with status 400 when the mask names a field that `known` lacks. */
export function checkMask(mask: FieldMask, known: ReadonlySet<string>): void {
  for (const name of mask?.keys() ?? []) if (!known.has(name)) throw invalidFields(name)
}

function invalidFields(selection: string): Error {
  return invalidParameter('fields', `Invalid field selection ${selection}`, 'invalidParameter')
}
