import { invalidParameter } from './errors.ts'

/** A parsed `q` of files.list, https://developers.google.com/workspace/drive/api/guides/ref-search-terms. */
export type Query =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Query[] }
  | { readonly kind: 'not'; readonly term: Query }
  | { readonly kind: 'in'; readonly value: string; readonly collection: string }
  | {
      readonly kind: 'compare'
      readonly field: string
      readonly operator: string
      readonly value: string | boolean
    }
  | {
      readonly kind: 'has'
      readonly field: 'properties' | 'appProperties'
      readonly key: string
      readonly value: string
    }

interface Token {
  readonly kind: 'string' | 'word' | 'sign' | 'end'
  readonly text: string
}

const tokenPattern = /\s*(?:'((?:[^'\\]|\\.)*)'|([A-Za-z][A-Za-z0-9]*)|(<=|>=|!=|[=<>(){}]))/y

const operators: Readonly<Record<string, readonly string[]>> = {
  name: ['contains', '=', '!='],
  fullText: ['contains'],
  mimeType: ['contains', '=', '!='],
  modifiedTime: ['<=', '<', '=', '!=', '>', '>='],
  createdTime: ['<=', '<', '=', '!=', '>', '>='],
  trashed: ['=', '!='],
  starred: ['=', '!='],
  sharedWithMe: ['=', '!='],
}
const times = ['modifiedTime', 'createdTime']
const flags = ['trashed', 'starred', 'sharedWithMe']
const collections = ['parents', 'owners', 'writers', 'readers']

/** Parses a query. Throws Google's refusal with status 400 for anything that is not one. */
export function parseQuery(text: string): Query {
  const tokens = tokenize(text)
  let at = 0
  const peek = (): Token => tokens[at] ?? { kind: 'end', text: '' }
  const isWord = (word: string): boolean =>
    peek().kind === 'word' && peek().text.toLowerCase() === word
  const isSign = (sign: string): boolean => peek().kind === 'sign' && peek().text === sign

  function take(kind: Token['kind'], exactly?: string): string {
    const token = peek()
    if (token.kind !== kind || (exactly !== undefined && token.text !== exactly)) throw badQuery()
    at++
    return token.text
  }

  function chain(kind: 'and' | 'or', next: () => Query): Query {
    const terms = [next()]
    while (isWord(kind)) {
      at++
      terms.push(next())
    }
    return terms.length === 1 && terms[0] !== undefined ? terms[0] : { kind, terms }
  }
  const either = (): Query => chain('or', both)
  const both = (): Query => chain('and', single)

  function single(): Query {
    if (isWord('not')) {
      at++
      return { kind: 'not', term: single() }
    }
    if (isSign('(')) {
      at++
      const inside = either()
      take('sign', ')')
      return inside
    }
    return peek().kind === 'string' ? membership() : comparison()
  }

  function membership(): Query {
    const value = take('string')
    if (!isWord('in')) throw badQuery()
    at++
    const collection = take('word')
    if (!collections.includes(collection)) throw badQuery()
    return { kind: 'in', value, collection }
  }

  function comparison(): Query {
    const field = take('word')
    if ((field === 'properties' || field === 'appProperties') && isWord('has')) return has(field)
    const allowed = operators[field]
    if (allowed === undefined) throw badQuery()
    // `sharedWithMe` may stand alone.
    if (field === 'sharedWithMe' && !isSign('=') && !isSign('!='))
      return { kind: 'compare', field, operator: '=', value: true }
    const operator = peek().kind === 'word' ? take('word').toLowerCase() : take('sign')
    if (!allowed.includes(operator)) throw badQuery()
    if (!flags.includes(field)) {
      const value = take('string')
      if (times.includes(field) && Number.isNaN(Date.parse(value))) throw badQuery()
      return { kind: 'compare', field, operator, value }
    }
    const value = take('word')
    if (value !== 'true' && value !== 'false') throw badQuery()
    return { kind: 'compare', field, operator, value: value === 'true' }
  }

  function has(field: 'properties' | 'appProperties'): Query {
    at++
    take('sign', '{')
    take('word', 'key')
    take('sign', '=')
    const key = take('string')
    take('word', 'and')
    take('word', 'value')
    take('sign', '=')
    const value = take('string')
    take('sign', '}')
    return { kind: 'has', field, key, value }
  }

  const query = either()
  if (peek().kind !== 'end') throw badQuery()
  return query
}

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  tokenPattern.lastIndex = 0
  while (tokenPattern.lastIndex < end) {
    const found = tokenPattern.exec(text)
    if (found === null) throw badQuery()
    const [, string, word, sign] = found
    if (string !== undefined)
      tokens.push({ kind: 'string', text: string.replaceAll(/\\(.)/gs, '$1') })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else tokens.push({ kind: 'sign', text: sign ?? '' })
  }
  return tokens
}

function badQuery(): Error {
  return invalidParameter('q')
}

/** The parents that every match must have one of, or null when the query does not say. */
export function parentsNamed(query: Query): readonly string[] | null {
  if (query.kind === 'in') return query.collection === 'parents' ? [query.value] : null
  if (query.kind === 'and')
    return query.terms.map(parentsNamed).find((named) => named !== null) ?? null
  if (query.kind !== 'or') return null
  const named = query.terms.map(parentsNamed)
  return named.every((one) => one !== null) ? [...new Set(named.flat())] : null
}
