/** A secret in one of the ways in which it could slip out. */
interface Spelling {
  readonly name: string
  readonly bytes: Buffer
}

/**
 * @returns the secret in every encoding in which it is looked for: what must not be kept, logged or sent must not be so in
 * any of them. Inside something longer too, wherever in it the secret begins.
 */
export function spellingsOf(secret: string): readonly Spelling[] {
  const plain = Buffer.from(secret)
  const json = JSON.stringify(secret).slice(1, -1)
  const texts: readonly (readonly [name: string, text: string])[] = [
    ['raw', secret],
    ...inBase64(plain).map((text) => ['base64', text] as const),
    ...inBase64(plain).map((text) => ['base64url', toUrlSafe(text)] as const),
    ['hex', plain.toString('hex')],
    ['hex', plain.toString('hex').toUpperCase()],
    ['url', encodeURIComponent(secret)],
    ['json', json],
    ['json', json.replace(/[^ -~]/g, escaped)],
  ]
  const wide = Buffer.from(secret, 'utf16le')
  return [
    ...texts.map(([name, text]) => ({ name, bytes: Buffer.from(text) })),
    { name: 'utf-16', bytes: wide },
    { name: 'utf-16', bytes: Buffer.from(wide).swap16() },
  ]
}

/** @returns which secrets are in the bytes, and how they are spelled there; nothing when there is none */
export function leaksIn(bytes: Buffer, secrets: readonly string[]): readonly string[] {
  const found = secrets.flatMap((secret) =>
    spellingsOf(secret)
      .filter((spelling) => bytes.includes(spelling.bytes))
      .map(({ name }) => `${secret} (${name})`),
  )
  return [...new Set(found)]
}

/** Base64 writes three bytes as four characters: what is in the middle of more looks different by where it begins. */
function inBase64(plain: Buffer): readonly string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), plain])
      .toString('base64')
      .replace(/=+$/, '')
    // The first characters and the last one also say what is around it.
    const first = Math.ceil((before * 8) / 6)
    const isWhole = (before + plain.length) % 3 === 0
    return text.slice(first, isWhole ? undefined : -1)
  })
}

function toUrlSafe(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_')
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
