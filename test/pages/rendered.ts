import { createServer } from 'node:http'
import { WaybillError } from '../../shared/errors.ts'
import {
  accountPage,
  accountsPage,
  disconnectedPage,
} from '../../backend/api/pages/account-pages.ts'
import { erasedPage, erasePage } from '../../backend/api/pages/erase-pages.ts'
import { failureKinds, failurePage, refusalPage } from '../../backend/api/pages/failure-pages.ts'
import { freezePage } from '../../backend/api/pages/freeze-page.ts'
import { supportPage } from '../../backend/api/pages/help-pages.ts'
import type { SignedIn } from '../../backend/api/pages/layout.ts'
import { pickedPage } from '../../backend/api/pages/pick-pages.ts'
import { staticFiles } from '../../backend/api/pages/static-files.ts'
import { listen } from '../backend/api/listen.ts'
import { domainStates } from './rendered-domain.ts'
import type { ConnectionView } from '../../backend/connect/connections-view.ts'

const signedIn: SignedIn = { label: 'ada.with.a.rather.long.address@example.com', form: 'form' }
const at = '2027-01-15T12:10:00.000Z'
const locale = 'de'

const drive: ConnectionView = {
  id: 'drive-1',
  provider: 'google-drive',
  account: 'ada.with.a.rather.long.address@a-rather-long-domain.example.com',
  state: 'ready',
  tier: 'picked',
}
const states = ['ready', 'unconfirmed', 'expired', 'frozen'] as const
const providers = ['dropbox', 'box', 'microsoft'] as const

const many = Array.from({ length: 40 }, (_, number): ConnectionView => ({
  ...drive,
  id: `connection-${number}`,
  provider: providers[number % 3] ?? 'box',
  state: states[number % 4] ?? 'ready',
  tier: null,
}))

const pending = providers.map((provider) => ({ id: provider, provider, until: at }))
const asked = { kind: 'asked', code: 'AB3DE-9GHJK', until: at } as const
const failed = new WaybillError('store_unavailable', 'The store cannot be reached.')

/** Pages in states that are hard to come by, each made of plain data. */
export const rendered: Readonly<Record<string, string>> = {
  'many accounts': accountsPage(many, pending, signedIn, locale),
  ...Object.fromEntries(
    states.map((state) => [
      `an account that is ${state}`,
      accountPage({ ...drive, state }, signedIn, { picked: { count: 12_345, at }, locale }),
    ]),
  ),
  ...Object.fromEntries(
    (['revoked', 'pending', 'not_offered'] as const).map((outcome) => [
      `disconnected: ${outcome}`,
      disconnectedPage({ outcome, link: 'https://example.com/connections' }, signedIn),
    ]),
  ),
  ...Object.fromEntries(
    failureKinds.flatMap((kind) => [
      [`${kind}, signed in`, failurePage(kind, { provider: 'microsoft', tier: null }, signedIn)],
      [`${kind}, signed out`, failurePage(kind, null, null)],
    ]),
  ),
  frozen: freezePage({ frozen: true, since: at }, signedIn, locale),
  'files that were picked': pickedPage('drive-1', 1_234, signedIn, locale),
  'deleting, asked for a code': erasePage({ ...asked, isRefused: false }, signedIn, locale),
  'deleting, another code': erasePage({ ...asked, isRefused: true }, signedIn, locale),
  'deleting, signed in': erasePage({ kind: 'signed_in' }, signedIn, locale),
  'deleting, not signed in': erasePage({ kind: 'not_signed_in' }, null, locale),
  'deleting, begun': erasedPage('https://waybill.example/v1/certificates/abc?secret=def'),
  'support without a contact': supportPage({ name: null, contact: null }, null),
  ...domainStates(signedIn, locale),
  'an error of ours': refusalPage(503, failed, signedIn),
}

/** Serves these pages. */
export async function serveRendered(): Promise<{
  urlOf(name: string): string
  close(): Promise<void>
}> {
  const types = { css: 'text/css', svg: 'image/svg+xml', js: 'text/javascript' }
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost')
    const file = staticFiles.find(({ path }) => path === pathname)
    response.setHeader('content-type', file === undefined ? 'text/html' : types[file.type])
    response.end(file?.content ?? rendered[decodeURIComponent(pathname.slice(1))] ?? 'nothing')
  })
  const { url, close } = await listen(server)
  return { urlOf: (name) => `${url}/${encodeURIComponent(name)}`, close }
}
