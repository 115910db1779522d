import { InvalidArgumentError } from 'commander'

/**
 * Reads the number of a file descriptor from the command line.
 *
 * @throws InvalidArgumentError for anything else
 */
export function fileDescriptor(value: string): number {
  if (!/^\d{1,4}$/.test(value)) throw new InvalidArgumentError('It must be a number, like 3.')
  return Number(value)
}

/**
 * Reads the number of a run from the command line.
 *
 * @throws InvalidArgumentError for anything else
 */
export function runNumber(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value))
    throw new InvalidArgumentError('It must be a number, like 1 for the first run.')
  return Number(value)
}

/**
 * Reads the number of a line of the audit log from the command line.
 *
 * @throws InvalidArgumentError for anything else
 */
export function lineNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value))
    throw new InvalidArgumentError('It must be a number, like 0 for the first line.')
  return Number(value)
}
