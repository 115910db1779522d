import { createHash } from 'node:crypto'

/** A source of numbers in [0, 1); the same seed gives the same row of numbers. */
export type Random = () => number

/** A 32-bit number that stands for `text` (FNV-1a): fast, and good enough to tell seeds apart. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    hash ^= text.charCodeAt(at)
    hash = Math.imul(hash, 0x01000193)
  }
  return hash >>> 0
}

/**
 * A seeded random source (mulberry32, https://github.com/bryc/code/blob/master/jshash/PRNGs.md).
 * It decides faults and contents, never secrets.
 */
export function seededRandom(seed: string | number): Random {
  let state = typeof seed === 'number' ? seed >>> 0 : hash32(seed)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

/** A whole number in [0, below). */
export function randomBelow(random: Random, below: number): number {
  return Math.floor(random() * below)
}

/** `length` characters (at most 43) of the URL-safe base64 alphabet that depend only on `text`. */
export function opaqueId(text: string, length: number): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, length)
}
