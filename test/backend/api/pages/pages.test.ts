import { describe, expect, it } from '@jest/globals'
import { assert, property, string } from 'fast-check'
import { accountPage, accountsPage } from '../../../../backend/api/pages/account-pages.ts'
import { askPage, problemPage } from '../../../../backend/api/pages/connect-pages.ts'
import { html } from '../../../../backend/api/pages/html.ts'
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
    const pages = [
      accountPage(connection, me),
      accountsPage([connection], [{ id: 'x', provider: 'box', until: evil }], me),
      problemPage(evil, evil, me),
      askPage({ provider: 'box', tier: null, ticket: evil }, me),
    ]
    for (const page of pages) {
      expect(page).not.toContain('<script')
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
      const page = askPage({ ...each, ticket: 'ticket' }, null)
      expect(page).toMatch(/<li>\s*Waybill may/)
      expect(page.match(/<form /g)).toHaveLength(1)
      expect(page).not.toMatch(/<script|style=|onclick|javascript:/i)
    },
  )
})
