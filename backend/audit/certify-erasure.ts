import type { ErasureStatement } from '../../shared/certificate.ts'
import { WaybillError } from '../../shared/errors.ts'
import { isAccountProvider } from '../../shared/account.ts'
import { changeErasure } from '../records/erasures.ts'
import type { Erasure } from '../records/erasures.ts'
import type { Store } from '../store/store.ts'
import type { Signer } from '../vault/signer.ts'
import { proveInclusion, signCertificate } from './certificate.ts'

export interface CertifyDeps {
  readonly store: Store
  readonly signer: Signer
  /** In front of the names of logs. */
  readonly host: string
  readonly copies: {
    /** As in a statement. */
    readonly keys: ErasureStatement['copies']['keys']
    /** How long the store itself shows older versions of a key record, in milliseconds. */
    readonly lingerMs: number
  }
}

const PAGE = 400

/**
 * Makes the certificate of an erasure that has ended, once a signed head of its log covers the line that tells of it.
 *
 * @returns whether it is made. Throws `key_unavailable` when nothing can be signed, `audit_invalid` for a damaged log.
 */
export async function certifyErasure(deps: CertifyDeps, erasure: Erasure): Promise<boolean> {
  const { store, copies } = deps
  const { id, leaf, actor, startedAt, keyDeletedAt, endedAt, deleted, byThePerson } = erasure
  if (leaf === null || keyDeletedAt === null || endedAt === null) return false
  const { tenant, number } = (await store.get('audit', leaf))?.fields ?? {}
  if (typeof tenant !== 'string' || typeof number !== 'number') return false
  const proof = await proveInclusion(store, tenant, number)
  if (proof === null) return false
  const statement: Omit<ErasureStatement, 'log'> = {
    v: 1,
    erasure: id,
    startedAt: textOf(startedAt),
    keyDeletedAt: textOf(keyDeletedAt),
    endedAt: textOf(endedAt),
    deleted,
    linesKept: actor === null ? 0 : await countLines(store, actor),
    copies: {
      unreadableFrom: textOf(keyDeletedAt + copies.lingerMs),
      keys: copies.keys,
      wiped: (await store.wipe?.()) ?? null,
    },
    providers: { pending: await pendingOf(store, id), byThePerson },
  }
  const certificate = JSON.stringify(await signCertificate(statement, proof, deps))
  await changeErasure(store, erasure, async () => ({
    step: 'certified',
    certificate,
    // Nobody needs them any more.
    actor: null,
    tenant: null,
  }))
  return true
}

async function countLines(store: Store, actor: string): Promise<number> {
  let count = 0
  for (let after: string | undefined; ;) {
    const page = { collection: 'audit', where: { actor }, limit: PAGE } as const
    const found = await store.list(after === undefined ? page : { ...page, after })
    count += found.length
    after = found.at(-1)?.key
    if (found.length < PAGE || after === undefined) return count
  }
}

async function pendingOf(store: Store, erasure: string) {
  const where = { user: erasure }
  const found = await store.list({ collection: 'revocations', where, limit: 1_000 })
  return found.map(({ fields: { provider, until } }) => {
    if (!isAccountProvider(provider))
      throw new WaybillError('internal', 'A revocation names a provider that nobody knows.')
    return { provider, until: textOf(Number(until)) }
  })
}

function textOf(time: number): string {
  return new Date(time).toISOString()
}
