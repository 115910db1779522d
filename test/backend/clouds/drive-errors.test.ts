import { describe, expect, it } from '@jest/globals'
import { driveError } from '../../../backend/clouds/google-drive/errors.ts'

const header = () => undefined
const said = { error: { errors: [{ reason: 'notFound' }], code: 404 } }

describe('a 404', () => {
  it('means "not there" only if Drive itself says so', () => {
    for (const call of ['get', 'children', 'download'] as const) {
      expect(driveError(call, { status: 404, header, body: said }, 0).code).toBe('gone')
      for (const body of ['<html>Not Found</html>', '', null, {}, { error: 'not_found' }])
        expect(driveError(call, { status: 404, header, body }, 0).code).toBe('unavailable')
    }
  })
})
