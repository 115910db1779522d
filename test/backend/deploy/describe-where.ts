import { describe } from '@jest/globals'

/** Declares tests that need something; where it is not there they are skipped, and say why. */
export function describeWhere(
  isThere: boolean,
  name: string,
  why: string,
  declare: () => void,
): void {
  const describeOrSkip = isThere ? describe : describe.skip
  describeOrSkip(isThere ? name : `${name} (${why})`, declare)
}
