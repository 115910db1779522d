import type { Page } from 'playwright-core'
import { z } from 'zod'

const focused = z.object({ name: z.string(), tag: z.string(), outline: z.string() })

const look = `(() => {
  const at = document.activeElement ?? document.body
  const label = at.labels?.[0]?.textContent ?? at.textContent ?? ''
  const { outlineStyle, outlineWidth } = getComputedStyle(at)
  return { name: label.replace(/\\s+/g, ' ').trim(), tag: at.localName, outline: outlineStyle + ' ' + outlineWidth }
})()`

/** Somebody who has a keyboard and no pointer. */
export interface Keyboard {
  /** Goes on by the tabulator to what has this name, and presses a key there: Enter unless told otherwise. */
  press(name: RegExp, key?: string): Promise<void>
}

/** Throws where nothing of that name comes within a hundred steps, or where nobody can see what has the focus. */
export function keyboardOn(page: Page): Keyboard {
  return {
    press: async (name, key = 'Enter') => {
      await page.waitForLoadState()
      const seen: string[] = []
      for (let step = 0; step < 100; step += 1) {
        await page.keyboard.press('Tab')
        const frame = page.frames().find((each) => each.url().includes('/picker?'))
        const at = focused.parse(await (frame ?? page).evaluate(look))
        seen.push(at.name)
        if (!name.test(at.name) || at.tag === 'body') continue
        if (/^none| 0px$/.test(at.outline)) throw new Error(`nobody sees that ${at.name} has it`)
        await page.keyboard.press(key)
        return
      }
      throw new Error(`no way to ${name.source} on ${page.url()}, only ${seen.join(', ')}`)
    },
  }
}
