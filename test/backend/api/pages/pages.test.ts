import { describe, expect, it } from '@jest/globals'
import { assert, property, string } from 'fast-check'
import { accountPage, accountsPage } from '../../../../backend/api/pages/account-pages.ts'
import { askPage } from '../../../../backend/api/pages/connect-pages.ts'
import { erasedPage, erasePage } from '../../../../backend/api/pages/erase-pages.ts'
import { failurePage, refusalPage } from '../../../../backend/api/pages/failure-pages.ts'
import { supportPage } from '../../../../backend/api/pages/help-pages.ts'
import { html } from '../../../../backend/api/pages/html.ts'
import { privacyPage, termsPage } from '../../../../backend/api/pages/legal-pages.ts'
import { pickPage } from '../../../../backend/api/pages/pick-pages.ts'
import { WaybillError } from '../../../../shared/errors.ts'
import { accountProviders } from '../../../../shared/account.ts'

/** Reads back what a browser would show of escaped text. */
function shown(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

const until = '2027-01-15T12:10:00.000Z'
const signedIn = { label: 'ann@example.com', form: 'form-secret' }

describe('what is put into a page', () => {
  it('stays text, whatever it is', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 50 }), (text) => {
        const { text: made } = html`<p title="${text}">${text}</p>`
        const [, title = '', inside = ''] = /^<p title="([^"]*)">([^<]*)<\/p>$/s.exec(made) ?? []
        expect([shown(title), shown(inside)]).toEqual([text, text])
      }),
      { numRuns: 2_000 },
    )
  })

  it('stays text in every place of a page, the account’s own name first of all', () => {
    const evil = `"><script>alert('1')</script>&amp;`
    const connection = {
      id: 'c',
      provider: 'box',
      account: evil,
      state: 'unconfirmed',
      tier: null,
    } as const
    const me = { ...signedIn, label: evil }
    const pending = [{ id: 'x', provider: 'box', until }] as const
    const operator = { name: evil, contact: evil }
    const pick = { scriptUrl: 'https://x', apiKey: evil, appId: evil, token: evil, account: evil }
    const code = { kind: 'asked', code: evil, until, isRefused: true } as const
    const pages = [
      accountPage(connection, me, { picked: null, locale: 'en' }),
      accountsPage([connection], pending, me, 'en'),
      refusalPage(400, new WaybillError('invalid_request', evil), me),
      failurePage('denied', connection, me),
      askPage({ provider: 'box', tier: null, ticket: evil, expiresAt: 0 }, me, 'en'),
      pickPage({ ...pick, id: evil, files: [evil], nonce: 'n' }, me),
      erasePage(code, me, 'en'),
      erasedPage(evil),
      supportPage(operator, null),
      supportPage({ name: evil, contact: `https://x/${evil}` }, null),
      privacyPage(operator, null),
      termsPage(operator, null),
    ]
    for (const page of pages) {
      expect(
        page.replaceAll(/<script defer nonce="n" src="[^"<>]*"><\/script>/g, ''),
      ).not.toContain('<script')
      expect(page).toContain('&lt;script&gt;')
    }
  })
})

describe('the first page of a link', () => {
  const asked = [
    ...accountProviders.map((provider) => ({ provider, tier: null })),
    { provider: 'google-drive', tier: 'whole' } as const,
  ]

  it.each(asked)(
    'says what is asked and why, and has one button to go on: $provider $tier',
    (each) => {
      const page = askPage({ ...each, ticket: 'ticket', expiresAt: 0 }, null, 'en')
      expect(page).toMatch(/<li>\s*Waybill may/)
      expect(page.match(/<form /g)).toHaveLength(1)
      expect(page).not.toMatch(/<script|style=|onclick|javascript:/i)
    },
  )
})
