import { existsSync } from 'node:fs'
import axe from 'axe-core'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { z } from 'zod'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where the browser is; undefined where there is none. */
export const executablePath = places.find((place) => existsSync(place))

/** How a page is looked at. */
export interface Look {
  readonly width: 320 | 1280
  readonly scheme: 'light' | 'dark'
}

export const looks: readonly Look[] = [
  { width: 320, scheme: 'light' },
  { width: 320, scheme: 'dark' },
  { width: 1280, scheme: 'light' },
  { width: 1280, scheme: 'dark' },
]

/** A browser, and all that its pages complained of. */
export interface Chromium {
  /** Somebody's browser, without cookies. */
  open(options?: Partial<Look> & { readonly locale?: string }): Promise<BrowserContext>
  close(): Promise<void>
}

/** @returns one, or null where there is none. */
export async function startChromium(): Promise<Chromium | null> {
  if (executablePath === undefined) return null
  const browser: Browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  })
  return {
    open: async ({ width = 1280, scheme = 'light', locale = 'en-GB' } = {}) =>
      browser.newContext({
        viewport: { width, height: 800 },
        colorScheme: scheme,
        reducedMotion: 'reduce',
        locale,
      }),
    close: () => browser.close(),
  }
}

/**
 * @param ours how addresses begin whose pages are looked at
 * @returns what these complain of from now on: errors, and what the policy held back
 */
export function complaintsOf(context: BrowserContext, ours: readonly string[]): readonly string[] {
  const complaints: string[] = []
  context.on('console', (message) => {
    const { url } = message.location()
    const isBad = ['error', 'warning'].includes(message.type())
    // A browser asks each site for an icon, also the simulated providers, which have none.
    if (isBad && (url === '' || ours.some((each) => url.startsWith(each))))
      complaints.push(`${url}: ${message.text()}`)
  })
  context.on('weberror', (error) => complaints.push(error.error().message))
  return complaints
}

const found = z.array(z.looseObject({ id: z.string(), nodes: z.array(z.looseObject({})) }))

/**
 * Looks a page over with axe-core, in a world of its own beside the page's: the page's policy holds no script of ours back
 * there, and stays as it is (https://chromedevtools.github.io/devtools-protocol/tot/Page/#method-createIsolatedWorld).
 *
 * @returns what is wrong with it, for people who cannot see, hear or point
 */
export async function violationsOn(page: Page): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page)
  const { frameTree } = await session.send('Page.getFrameTree')
  const { executionContextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
  })
  const run = async (expression: string): Promise<unknown> => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      contextId: executionContextId,
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text)
    return result.value
  }
  await run(`${axe.source}; 0`)
  const rules = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']
  const value = await run(
    `axe.run(document, { runOnly: ${JSON.stringify(rules)}, resultTypes: ['violations'] })
      .then(({ violations }) => violations.map(({ id, nodes }) =>
        ({ id, nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })) })))`,
  )
  await session.detach()
  return found.parse(value).map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes)}`)
}

/** @returns by how many pixels a page is wider than its window. */
export async function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
}
