import type { AuditLog } from '../../../backend/audit/read-log.ts'
import type { AuditEntry } from '../../../shared/audit.ts'

/** A log of `lines` acts, the same for everybody. */
export function createMemoryAudit(lines = 3): AuditLog {
  const all = Array.from({ length: lines }, (_, number): AuditEntry => ({
    line: {
      v: 1,
      number,
      at: '2027-01-15T12:00:00.000Z',
      actor: 'actor',
      act: 'job_created',
      target: 'target',
      result: 'done',
      sealedHash: 'a'.repeat(64),
      detailsHash: 'b'.repeat(64),
      prev: number === 0 ? null : 'c'.repeat(64),
    },
    sealed: 'AAAA',
    details: { salt: 's', job: 'job-001' },
  }))
  return {
    list: async (_user, { from, limit }) => ({
      lines: all.slice(from, from + limit),
      next: from + limit < lines ? from + limit : null,
    }),
    async *export() {
      yield JSON.stringify({ key: 'localhost/audit/t+00000000+AAAA' })
      for (const entry of all) yield JSON.stringify(entry)
      yield JSON.stringify({ head: 'localhost/audit/t\n3\nAAAA\n\n— x AAAA\n' })
    },
  }
}
