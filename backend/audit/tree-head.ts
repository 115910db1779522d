const ROOT_BYTES = 32
const DIGITS = /^(?:0|[1-9]\d{0,14})$/

/** What a log vouches for by its signature: so many lines, with this root. */
export interface TreeHead {
  readonly origin: string
  readonly size: number
  /** As hex. */
  readonly root: string
}

/** @returns the text that is signed: https://c2sp.org/tlog-checkpoint */
export function headText({ origin, size, root }: TreeHead): string {
  return `${origin}\n${size}\n${Buffer.from(root, 'hex').toString('base64')}\n`
}

/** @returns what a text says that {@link headText} made; null for any other, also one with extension lines. */
export function parseHead(text: string): TreeHead | null {
  const [origin = '', size = '', encoded = '', ...end] = text.split('\n')
  const root = Buffer.from(encoded, 'base64')
  const isHead =
    origin !== '' &&
    DIGITS.test(size) &&
    root.length === ROOT_BYTES &&
    root.toString('base64') === encoded &&
    end.join() === '' &&
    end.length === 1
  return isHead ? { origin, size: Number(size), root: root.toString('hex') } : null
}
