import { page } from './page-endpoint.ts'
import type { PageEndpoint, PageServing } from './page-endpoint.ts'
import { helpPage, permissionsPage, supportPage } from './pages/help-pages.ts'
import { homePage } from './pages/home-page.ts'
import type { SignedIn } from './pages/layout.ts'
import { privacyPage, termsPage } from './pages/legal-pages.ts'
import type { Operator } from './pages/operator.ts'
import { staticFiles } from './pages/static-files.ts'

export interface PublicServing extends PageServing {
  /** Who runs this Waybill. */
  readonly operator: Operator
}

/** @returns the pages that everybody may read, and what all pages load. */
export function publicEndpoints(serving: PublicServing): readonly PageEndpoint[] {
  const { operator } = serving
  const shown = (path: string, render: (signedIn: SignedIn | null) => string): PageEndpoint =>
    page(serving, 'get', path, async ({ response, signedIn }) => {
      response.send(render(signedIn))
    })
  return [
    ...staticFiles.map(({ path, type, content }) =>
      page(serving, 'get', path, async ({ response }) => {
        response.set('Cache-Control', 'public, max-age=31536000, immutable')
        response.type(type).send(content)
      }),
    ),
    shown('/', homePage),
    shown('/help', helpPage),
    shown('/help/permissions', permissionsPage),
    shown('/support', (signedIn) => supportPage(operator, signedIn)),
    shown('/privacy', (signedIn) => privacyPage(operator, signedIn)),
    shown('/terms', (signedIn) => termsPage(operator, signedIn)),
  ]
}
