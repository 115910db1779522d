import { stripVTControlCharacters } from 'node:util'

/**
 * Makes a name that somebody else chose safe to show: a file can be called something that moves the cursor, colours the
 * terminal or turns the direction of the text around.
 *
 * @returns the text in one line, with `�` for each character that is not one of a text
 */
export function printable(text: string): string {
  // The two joiners are invisible, but part of Persian words and of many emoji.
  const unfit = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
  return stripVTControlCharacters(text).replaceAll(unfit, '�')
}
