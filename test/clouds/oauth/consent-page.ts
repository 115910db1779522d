import type { Answer } from '../call.ts'
import type { Person } from './people.ts'

/** What the page shows. */
export interface ConsentPage {
  readonly provider: string
  readonly clientId: string
  readonly people: readonly Person[]
  /** Whose button is pressed from the start. */
  readonly chosen: Person | undefined
  readonly scopes: readonly { readonly name: string; readonly mayBeUnticked: boolean }[]
}

/**
 * A page that asks who it is and whether the client may. It posts `person`, `scope` (one for each box that is ticked)
 * and `decision` (`allow` or `deny`) to its own address. It needs no script, and can be used by keyboard alone.
 */
export function consentPage(page: ConsentPage): Answer {
  const people = page.people.map(
    (person) => `
      <label><input type="radio" name="person" value="${escaped(person.id)}" required${
        person.id === page.chosen?.id ? ' checked autofocus' : ''
      }> ${escaped(person.name)} <span>${escaped(person.email)}</span></label>`,
  )
  const scopes = page.scopes.map(({ name, mayBeUnticked }) =>
    mayBeUnticked
      ? `
      <label><input type="checkbox" name="scope" value="${escaped(name)}" checked> ${escaped(name)}</label>`
      : `
      <p>${escaped(name)}</p>`,
  )
  const title = `Sign in with ${escaped(page.provider)} (simulated)`
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
  body { font: 1rem/1.5 sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem }
  fieldset { margin: 1rem 0; border: 1px solid #767676; border-radius: .5rem }
  label, fieldset p { display: block; margin: .5rem 0; overflow-wrap: anywhere }
  span { color: #595959 }
  button { font: inherit; padding: .5rem 1.5rem; margin-right: 1rem }
</style>
<main>
  <h1>${title}</h1>
  <p>${escaped(page.clientId)} wants to use your account.</p>
  <form method="post">
    <fieldset>
      <legend>Choose an account</legend>${people.join('')}
    </fieldset>
    <fieldset>
      <legend>It will be able to use</legend>${scopes.join('')}
    </fieldset>
    <button name="decision" value="allow">Allow</button>
    <button name="decision" value="deny">Deny</button>
  </form>
</main>
</html>
`
  return {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
    },
    body,
  }
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
