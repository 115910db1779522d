import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { remoteControl } from './control.ts'
import type { CloudControl, ProviderControl, Remote } from './control.ts'
import type { DriveEdits } from './drive/edits.ts'
import type { DropboxControls } from './dropbox/controls.ts'
import type { ServiceAccounts } from './oauth/service-accounts.ts'
import type { CloudReady, CloudsReady, IssuerControl } from './ready.ts'

/** The flags of `main.ts` that a test may want. */
export interface ForkOptions {
  readonly seedFolder?: string
  readonly seed?: string
  readonly latencyMs?: number
  /** Where consent pages may lead back to, instead of the usual places. */
  readonly redirectUris?: readonly string[]
  /** A seed for transient faults, and the share of calls that meet one. */
  readonly faults?: { readonly seed: string; readonly rate: number }
}

/** The simulated clouds in a process of their own, so that they outlive whoever uses them. */
export interface ForkedClouds {
  readonly drive: CloudReady & {
    readonly control: Remote<DriveEdits & ServiceAccounts & CloudControl>
  }
  readonly dropbox: CloudReady & { readonly control: Remote<DropboxControls & CloudControl> }
  readonly box: CloudReady & { readonly control: Remote<ProviderControl> }
  readonly microsoft: CloudReady & { readonly control: Remote<ProviderControl> }
  readonly issuer: CloudsReady['issuer'] & { readonly control: Remote<IssuerControl> }
  /** Of the Drive's first person, for the Drive's client; good for an hour. */
  readonly idToken: string
  readonly pid: number
  /** Ends the process, and waits for it. */
  close(): Promise<void>
}

/** Starts the clouds in a child process. Throws when it ends before it is ready. */
export async function forkClouds(options: ForkOptions = {}): Promise<ForkedClouds> {
  const args = ['--json']
  if (options.seedFolder !== undefined) args.push('--seed-folder', options.seedFolder)
  if (options.seed !== undefined) args.push('--seed', options.seed)
  if (options.latencyMs !== undefined) args.push('--latency', String(options.latencyMs))
  if (options.redirectUris !== undefined) args.push('--redirect-uri', ...options.redirectUris)
  if (options.faults !== undefined)
    args.push('--faults', options.faults.seed, '--rate', String(options.faults.rate))
  const program = fileURLToPath(new URL('./main.ts', import.meta.url))
  const child = fork(program, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], execArgv: [] })
  if (child.stdout === null || child.pid === undefined) throw new Error('the clouds did not start')
  const ended = once(child, 'exit')
  const line = await Promise.race([once(createInterface(child.stdout), 'line'), ended])
  if (typeof line[0] !== 'string') throw new Error('the clouds ended before they were ready')
  const ready: CloudsReady = JSON.parse(line[0])

  return {
    drive: { ...ready.drive, control: remoteControl(ready.controlUrl, 'drive') },
    dropbox: { ...ready.dropbox, control: remoteControl(ready.controlUrl, 'dropbox') },
    box: { ...ready.box, control: remoteControl(ready.controlUrl, 'box') },
    microsoft: { ...ready.microsoft, control: remoteControl(ready.controlUrl, 'microsoft') },
    issuer: { ...ready.issuer, control: remoteControl(ready.controlUrl, 'issuer') },
    idToken: ready.idToken,
    pid: child.pid,
    async close() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
