import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { settingsFor } from '../clouds/settings-for.ts'
import { startIssuer } from '../clouds/issuer.ts'
import { findEmulator, startEmulator } from '../platform/firestore-emulator.ts'
import { startGoogleCloud } from '../platform/google-cloud.ts'
import type { Measurement } from './figure.ts'

/** Each is started this often, in turn, and the fastest counts: others use this machine too. */
const times = 5
const nowhere = {
  url: 'http://127.0.0.1:9',
  tokenUrl: 'http://127.0.0.1:9',
  clientId: 'x',
  clientSecret: 'x',
}

/** From the start of the process to the first answer to somebody who has signed in, as `api` in Google Cloud. */
export const coldStart: Measurement = {
  figures: [{ name: 'cold-start', unit: '× bare', reach: { most: 5 } }],
  measure: async () => {
    const found = findEmulator(process.env)
    if (found.kind === 'none') throw new Error(found.why)
    const emulator = await startEmulator(found)
    const issuer = await startIssuer()
    const cloud = await startGoogleCloud({
      project: 'waybill-bench',
      firestoreHost: emulator.host,
      issuer,
    })
    const cache = mkdtempSync(join(tmpdir(), 'waybill-cache-'))
    try {
      const { variables } = cloud
      const token = await issuer.mintIdToken({ sub: 'somebody', aud: nowhere.clientId })
      const environment = {
        METADATA_SERVER_DETECTION: 'none',
        ...settingsFor({ drive: nowhere, dropbox: nowhere, issuer }, '.'),
        ...variables,
        WAYBILL_ROLE: 'api',
        // As in the image: what was compiled once is not compiled again. Both have it.
        NODE_COMPILE_CACHE: cache,
      }
      const url = `http://127.0.0.1:${variables['PORT']}`
      const bare: number[] = []
      const ours: number[] = []
      for (let at = 0; at < times; at += 1) {
        bare.push(await firstAnswer(['./bare-server.ts'], environment, `${url}/`, {}))
        const headers = { authorization: `Bearer ${token}` }
        const command = ['../../backend/cli.ts', 'serve']
        ours.push(await firstAnswer(command, environment, `${url}/v1/jobs`, headers))
      }
      const [fastestBare, fastest] = [Math.min(...bare), Math.min(...ours)]
      return [
        {
          value: fastest / fastestBare,
          details: { 'bare Express, ms': fastestBare, 'Waybill, ms': fastest },
        },
      ]
    } finally {
      rmSync(cache, { recursive: true, force: true })
      await cloud.close()
      await issuer.close()
      await emulator.stop()
    }
  },
}

/** Starts a program and returns after how many milliseconds it first answered with 200. */
async function firstAnswer(
  [program = '', ...rest]: readonly string[],
  environment: Readonly<Record<string, string>>,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const path = fileURLToPath(new URL(program, import.meta.url))
  const start = performance.now()
  const child = spawn(process.execPath, [path, ...rest], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(child, 'exit')
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
      const answer = await fetch(url, { headers }).catch(() => null)
      if (answer?.status === 200) return performance.now() - start
      if (answer !== null) throw new Error(`it answered with ${answer.status}`)
      await sleep(5)
    }
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}
