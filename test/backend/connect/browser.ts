/** A page as a person sees it. */
export interface Seen {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Addresses the browser was sent on from, in order. */
  readonly through: readonly string[]
}

interface Form {
  readonly action: string
  readonly fields: URLSearchParams
}

/** What a browser does with pages and cookies: enough of it to follow a sign-in over several hosts. */
export interface Browser {
  /** Cookies by host, name and value. They can be changed. */
  readonly cookies: Map<string, Map<string, string>>
  /** Opens an address, and goes where it is sent. `until` stops before an address that begins so. */
  open(url: string, until?: string): Promise<Seen>
  /** Presses the button of the page with this label. */
  press(seen: Seen, label: RegExp, until?: string): Promise<Seen>
}

/** @returns a browser without cookies; it keeps `__Host-` cookies only as browsers do. */
export function createBrowser(): Browser {
  const cookies: Browser['cookies'] = new Map()

  const keep = (url: URL, headers: Headers): void => {
    const jar = cookies.get(url.host) ?? new Map<string, string>()
    cookies.set(url.host, jar)
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/;\s*/)
      const [name = '', value = ''] = pair.split('=')
      const has = (wanted: string) => attributes.some((each) => each.toLowerCase() === wanted)
      const isWhole = has('secure') && has('path=/') && !attributes.some((a) => /^domain=/i.test(a))
      if (name.startsWith('__Host-') && !isWhole)
        throw new Error(`a browser would not take ${name}`)
      if (!has('httponly') || !has('samesite=lax')) throw new Error(`${name} is not kept close`)
      if (attributes.some((each) => /^expires=thu, 01 jan 1970/i.test(each))) jar.delete(name)
      else jar.set(name, value)
    }
  }

  const send = async (
    from: string | null,
    url: string,
    init: RequestInit,
    until: string | undefined,
    through: readonly string[] = [],
  ): Promise<Seen> => {
    if (until !== undefined && url.startsWith(until))
      return { url, status: 0, headers: new Headers(), text: '', through }
    const target = new URL(url)
    const jar = cookies.get(target.host)
    const headers = new Headers(init.headers)
    if (jar !== undefined && jar.size > 0)
      headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    keep(target, response.headers)
    const text = await response.text()
    const refresh = /^0; url=(.+)$/.exec(response.headers.get('refresh') ?? '')?.[1]
    const next = response.headers.get('location') ?? refresh
    const seen = { url, status: response.status, headers: response.headers, text, through }
    if (next === undefined || next === null) return seen
    return send(from, new URL(next, url).href, {}, until, [...through, url])
  }

  return {
    cookies,
    open: (url, until) => send(null, url, {}, until),
    press: async (seen, label, until) => {
      const form = formsOf(seen).find((each) => label.test(each.label))
      if (form === undefined) throw new Error(`there is no such button on:\n${seen.text}`)
      const { action, fields } = form
      const url = new URL(action, seen.url)
      const headers = { origin: new URL(seen.url).origin, 'sec-fetch-site': 'same-origin' }
      return send(seen.url, url.href, { method: 'POST', body: fields, headers }, until)
    },
  }
}

function formsOf({ text }: Seen): readonly (Form & { readonly label: string })[] {
  return [...text.matchAll(/<form method="post" action="([^"]+)">(.*?)<\/form>/gs)].map(
    ([, action = '', inside = '']) => ({
      action,
      fields: new URLSearchParams(
        [...inside.matchAll(/name="([^"]+)"\s+value="([^"]*)"/g)].map(
          ([, name = '', value = '']): [string, string] => [name, value],
        ),
      ),
      label: /<button[^>]*>(.*?)<\/button>/s.exec(inside)?.[1] ?? '',
    }),
  )
}
