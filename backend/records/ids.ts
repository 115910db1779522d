/**
 * @param now milliseconds since 1970
 * @param random returns that many random bytes
 * @returns an id that sorts by time and cannot be guessed: nine characters of time, sixteen of chance
 */
export function newId(now: number, random: (bytes: number) => Uint8Array): string {
  return now.toString(36).padStart(9, '0') + Buffer.from(random(12)).toString('base64url')
}
