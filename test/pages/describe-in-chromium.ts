import { describeWhere } from '../backend/deploy/describe-where.ts'
import { executablePath } from './chromium.ts'

/** Tests in a real browser; skipped by their name where there is none. */
export function describeInChromium(name: string, tests: () => void): void {
  describeWhere(executablePath !== undefined, name, 'needs Chromium', tests)
}
