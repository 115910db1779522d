import { hasCode, WaybillError } from '../../shared/errors.ts'
import { policyChange } from '../../shared/policy-schema.ts'
import type { Administering, PolicyByAddress } from '../run/administering.ts'
import { page } from './page-endpoint.ts'
import type { PageEndpoint, PageServing, Visit } from './page-endpoint.ts'
import { adminPage, domainPage } from './pages/admin-pages.ts'
import { signInPage } from './pages/connect-pages.ts'
import { id } from './schemas.ts'

export interface AdminServing extends PageServing {
  readonly administering: Administering
}

const path = '/connect/admin'
const PEOPLE = 100
const LINES = 50

/** @returns the page of a domain's administrators, and what its buttons do. */
export function adminEndpoints(serving: AdminServing): readonly PageEndpoint[] {
  const { administering } = serving

  const seen = async (user: string, from: number) => {
    try {
      return {
        policy: await administering.policy(user),
        people: await administering.people(user, { limit: PEOPLE }),
        audit: await administering.audit(user, { from, limit: LINES }),
      }
    } catch (error) {
      // Whoever is not known to be an administrator is told how a domain is connected, and nothing of it.
      if (hasCode(error, 'forbidden')) return null
      throw error
    }
  }

  const back = ({ response }: Visit): void => response.redirect(303, path)

  return [
    page(serving, 'get', path, async ({ response, query, session, signedIn, locale }) => {
      if (session === null || signedIn === null) {
        response.send(signInPage(null))
        return
      }
      const delegation = await administering.delegation(session.user)
      const from = /^\d{1,9}$/.test(query.get('from') ?? '') ? Number(query.get('from')) : 0
      const all = await seen(session.user, from)
      response.send(
        all === null
          ? domainPage(delegation, signedIn)
          : adminPage({ delegation, ...all }, signedIn, locale),
      )
    }),
    page(serving, 'post', `${path}/delegation`, async (visit) => {
      await administering.connectDomain(userOf(visit))
      back(visit)
    }),
    page(serving, 'post', `${path}/policy`, async (visit) => {
      await administering.setPolicy(userOf(visit), policyIn(visit.form))
      back(visit)
    }),
    ...(['freeze', 'unfreeze'] as const).map((act) =>
      page(serving, 'post', `${path}/${act}`, async (visit) => {
        const whom = visit.form.get('user')
        const read = id.safeParse(whom)
        if (whom !== null && !read.success)
          throw new WaybillError('invalid_request', 'There is no such person.')
        await administering[act](userOf(visit), whom)
        back(visit)
      }),
    ),
  ]
}

function userOf({ session }: Visit): string {
  if (session === null)
    throw new WaybillError('unauthenticated', 'Nobody is signed in here any more. Begin again.')
  return session.user
}

/** The form that `adminPage` shows. Lines of places are `provider domain-or-account /folder`, the last of it left out for anywhere. */
function policyIn(form: URLSearchParams): PolicyByAddress {
  const wholeDrive = form.get('wholeDrive')
  const places = linesOf(form, 'places').map(placeIn)
  const read = policyChange.safeParse({
    policy: {
      sources: form.getAll('sources'),
      destinations: form.getAll('destinations'),
      places: places.length === 0 ? null : places,
      personalAccounts: form.get('personalAccounts') === 'yes',
      wholeDrive: wholeDrive === 'people' ? { people: linesOf(form, 'people') } : wholeDrive,
    },
  })
  if (read.success) return read.data.policy
  throw new WaybillError('invalid_request', 'Something in the form is not right. Go back to it.')
}

function placeIn(line: string) {
  const [, provider, account = '', folder] = /^(\S+)\s+(\S+)(?:\s+(\/.*))?$/.exec(line) ?? []
  // Ids at providers have no dots, and domains have nothing else in common.
  const isDomain = /^[^:]+\.[^:]+$/.test(account)
  return {
    provider,
    account: isDomain ? { domain: account.toLowerCase() } : { id: account },
    folder: folder ?? null,
  }
}

function linesOf(form: URLSearchParams, name: string): readonly string[] {
  const lines = (form.get(name) ?? '').split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '')
}
