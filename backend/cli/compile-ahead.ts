import { flushCompileCache } from 'node:module'
import { loadEverything } from '../main/load-everything.ts'

// Run while the image is built, for `NODE_COMPILE_CACHE`: loads what either role loads, so that no instance has to compile
// it again when it starts. https://nodejs.org/api/module.html#module-compile-cache
process.argv.push('--version')
await import('../cli.ts')
await loadEverything()
flushCompileCache()
