import type { ErasureCertificate } from '../../shared/certificate.ts'
import { erasureCertificate } from '../../shared/certificate-schema.ts'
import type { Acts } from '../audit/acts.ts'
import { giveCode, listErasures, readErasure, readOwnErasure } from '../records/erasures.ts'
import type { Erasure } from '../records/erasures.ts'
import { refuseErasing } from '../records/freezes.ts'
import { begin, goOnErasing, isErased } from './erase.ts'
import type { EraseDeps } from './erase.ts'
import { exportPerson } from './export.ts'

/**
 * How far an erasure has come:
 *
 * - `under_way`: it goes on by itself.
 * - `erased`: all is gone; the certificate is made within some minutes.
 * - `certified`: here it is. It is kept for 30 days.
 */
export interface ErasureView {
  readonly id: string
  readonly state: 'under_way' | 'erased' | 'certified'
  readonly certificate: ErasureCertificate | null
}

/** What a person may ask of Waybill about themselves. */
export interface Rights {
  /** All that is kept about the person as JSON texts without line ends, opened, without tokens. Throws `frozen`. */
  export(user: string): AsyncIterable<string>
  /** The code with which the person says that they mean it. Throws `frozen` while they are being erased. */
  eraseAsk(user: string): Promise<{ readonly code: string; readonly until: string }>
  /**
   * Erases the person: begins at once, and goes on by itself. The secret is for the certificate, and said only here.
   * Throws `invalid_request` for another code than the one that was given in the last ten minutes.
   */
  erase(user: string, code: string): Promise<ErasureView & { readonly secret: string }>
  /** For who has the secret. Throws `not_found`. */
  certificate(id: string, secret: string): Promise<ErasureView>
  /** Goes on with all erasures under way, and makes certificates. Throws what went wrong with one, after the others. */
  proceed(): Promise<void>
}

export interface RightsDeps extends EraseDeps {
  readonly acts: Pick<Acts, 'record'>
  /** Makes the certificate of an erasure that has ended, if it can be made now. */
  readonly certify: (erasure: Erasure) => Promise<boolean>
  /** Hears what went wrong with an erasure that has begun, and goes on later. */
  readonly onFault: (error: unknown) => void
}

/** Whoever asks waits no longer; what is left is the tick's. */
const WAIT_MS = 20_000
const TICK_MS = 10 * 60_000

/** @returns people's rights, on the store given. */
export function createRights(deps: RightsDeps): Rights {
  const { store, acts, now, random } = deps
  const untilAfter = (ms: number) => {
    const end = now() + ms
    return () => now() < end
  }
  const viewOf = (erasure: Erasure): ErasureView => {
    const { id, certificate } = erasure
    if (certificate !== null)
      return {
        id,
        state: 'certified',
        certificate: erasureCertificate.parse(JSON.parse(certificate)),
      }
    return { id, state: isErased(erasure) ? 'erased' : 'under_way', certificate: null }
  }

  return {
    async *export(user) {
      await refuseErasing(store, user)
      // Told before the first line leaves: nobody gets any of it unseen.
      await acts.record(user, { act: 'data_exported', target: null, details: {} })
      yield* exportPerson(deps, user)
    },
    eraseAsk: async (user) => {
      const { code, until } = await giveCode(store, user, { now: now(), random })
      return { code, until: new Date(until).toISOString() }
    },
    erase: async (user, code) => {
      const { id, secret } = await begin(deps, user, code)
      // It has begun, whatever happens now.
      const isOver = await goOnErasing(deps, id, untilAfter(WAIT_MS)).catch((error: unknown) => {
        deps.onFault(error)
        return false
      })
      return { id, secret, state: isOver ? 'erased' : 'under_way', certificate: null }
    },
    certificate: async (id, secret) => viewOf(await readOwnErasure(store, id, secret)),
    proceed: async () => {
      const goOn = untilAfter(TICK_MS)
      let failed: { readonly error: unknown } | null = null
      for (const { id } of await listErasures(store)) {
        try {
          if (!(await goOnErasing(deps, id, goOn))) continue
          const erasure = await readErasure(store, id)
          if (erasure !== null && erasure.step === 'ended') await deps.certify(erasure)
        } catch (error) {
          failed = { error }
        }
      }
      if (failed !== null) throw failed.error
    },
  }
}
