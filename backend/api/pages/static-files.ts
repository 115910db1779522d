import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A file that pages load: it is told by its content, so that browsers may keep it for good. */
export interface StaticFile {
  readonly path: string
  readonly type: 'css' | 'svg' | 'js'
  readonly content: string
  /** Its address, which is another one when its content is. */
  readonly href: string
}

function staticFile(name: string, type: StaticFile['type']): StaticFile {
  const content = readFileSync(new URL(name, import.meta.url), 'utf8')
  const version = createHash('sha256').update(content).digest('base64url').slice(0, 12)
  const path = `/static/${name}`
  return { path, type, content, href: `${path}?v=${version}` }
}

export const styles = staticFile('pages.css', 'css')
export const icon = staticFile('icon.svg', 'svg')
/** The only script of ours, for the page on which files are picked. */
export const pickScript = staticFile('pick.js', 'js')

export const staticFiles: readonly StaticFile[] = [styles, icon, pickScript]
