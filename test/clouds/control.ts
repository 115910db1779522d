import { createCallLog } from './call-log.ts'
import type { CallSnapshot } from './call-log.ts'
import type { FaultMenu, PlannedFault } from './faults.ts'
import { serve } from './http-server.ts'
import type { OauthControl } from './oauth/control.ts'
import type { SimulatedProvider } from './oauth/start-provider.ts'
import type { Dump, SimulatedCloud } from './simulated-cloud.ts'

/** The same functions, as another process calls them: arguments and results have to survive JSON. */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

/** What can be asked of every simulated provider from another process. */
export interface ProviderControl extends OauthControl {
  callsSnapshot(): CallSnapshot
  resetCalls(): void
  planFault(planned: PlannedFault): void
  setFaultMenu(menu: FaultMenu | null): void
  injectedFaults(): readonly { readonly id: string; readonly route: string }[]
  clearFaults(): void
  setOffline(offline: boolean): void
  setTokenLifetime(seconds: number): void
  revoke(token: string): boolean
}

/** What can be asked of every simulated cloud from another process. */
export interface CloudControl extends ProviderControl {
  dump(): Promise<Dump>
}

/** The control functions of one cloud. */
export function cloudControl(cloud: SimulatedCloud): CloudControl {
  return { ...providerControl(cloud), dump: () => cloud.dump() }
}

/** The control functions of one provider. */
export function providerControl(
  provider: Omit<SimulatedProvider, 'tokenUrl' | 'close'>,
): ProviderControl {
  const { calls, faults, tokens, oauth } = provider
  return {
    ...oauth,
    callsSnapshot: () => calls.snapshot(),
    resetCalls: () => calls.reset(),
    planFault: (planned) => faults.plan(planned),
    setFaultMenu: (menu) => faults.menu(menu),
    injectedFaults: () => faults.injected(),
    clearFaults: () => faults.clear(),
    setOffline: (offline) => provider.setOffline(offline),
    setTokenLifetime: (seconds) => tokens.setLifetime(seconds),
    revoke: (token) => tokens.revoke(token),
  }
}

/** A server through which another process reaches the control functions. */
export interface ControlServer {
  readonly url: string
  close(): Promise<void>
}

/**
 * `POST /_control/{cloud}/{name}` with a JSON array of arguments answers `{"result": …}`. It has a port of
 * its own, so that it works while a cloud is offline. Only for tests on the same machine: nobody is asked
 * who they are.
 */
export async function startControl(
  clouds: Readonly<Record<string, object>>,
): Promise<ControlServer> {
  const methods = new Map<string, unknown>()
  for (const [cloud, functions] of Object.entries(clouds))
    for (const [name, method] of Object.entries(functions)) methods.set(`${cloud}/${name}`, method)

  return serve({
    calls: createCallLog(),
    routes: [
      {
        name: 'control',
        kind: 'control',
        method: 'POST',
        path: '/_control/{cloud}/{name}',
        async handle(call) {
          const name = `${call.params['cloud']}/${call.params['name']}`
          const method = methods.get(name)
          if (!isMethod(method))
            return { status: 404, json: { error: `no control is called ${name}` } }
          const args: never[] = JSON.parse((await call.body()).toString() || '[]')
          try {
            return { json: { result: (await method(...args)) ?? null } }
          } catch (error) {
            return {
              status: 400,
              json: { error: error instanceof Error ? error.message : 'failed' },
            }
          }
        },
      },
    ],
  })
}

function isMethod(value: unknown): value is (...args: never[]) => unknown {
  return typeof value === 'function'
}

/** The control functions of `cloud` behind a control server. Each throws what failed there. */
export function remoteControl<T extends object>(url: string, cloud: string): Remote<T> {
  const nothing: Remote<T> = JSON.parse('{}')
  return new Proxy(nothing, {
    get(_target, name) {
      // Without this, awaiting the object would look for a promise in it.
      if (typeof name !== 'string' || name === 'then') return undefined
      return async (...args: unknown[]) => {
        const response = await fetch(`${url}/_control/${cloud}/${name}`, {
          method: 'POST',
          body: JSON.stringify(args),
        })
        const answer: { result?: unknown; error?: string } = JSON.parse(await response.text())
        if (!response.ok)
          throw new Error(answer.error ?? `control ${name} answered ${response.status}`)
        return answer.result
      }
    },
  })
}
