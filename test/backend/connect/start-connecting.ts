import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { userIdOf } from '../../../backend/api/user-id.ts'
import { readSettings } from '../../../backend/config.ts'
import { createLog } from '../../../backend/log.ts'
import { openOneMachine } from '../../../backend/main/on-one-machine.ts'
import { openWaybill } from '../../../backend/main.ts'
import type { Waybill } from '../../../backend/main.ts'
import type { AccountProvider, DriveTier } from '../../../shared/account.ts'
import { settingsFor } from '../../clouds/settings-for.ts'
import type { OauthControl } from '../../clouds/oauth/control.ts'
import { startClouds } from '../../clouds/start.ts'
import type { Clouds, CloudsOptions } from '../../clouds/start.ts'
import { createBrowser } from './browser.ts'
import type { Browser, Seen } from './browser.ts'

/** A Waybill that people connect their accounts to, with the simulated providers. */
export interface ConnectingUnderTest {
  readonly clouds: Clouds
  readonly waybill: Waybill
  /** As browsers reach it. */
  readonly url: string
  /** Two people with a Google account: the first has the Drive. */
  readonly ann: Person
  readonly bob: Person
  readonly logged: readonly string[]
  /** Everything that is on the disk. */
  stored(): string
  oauth(provider: AccountProvider | 'google'): OauthControl
  /** Calls the API. */
  api(who: Person, method: string, path: string, body?: object): Promise<ApiAnswer>
  /** A link to connect an account, as the sidebar gets it. */
  link(who: Person, provider: AccountProvider, tier?: DriveTier): Promise<string>
  /** A browser in which this person is signed in. */
  browserOf(who: Person): Promise<Browser>
  /** Goes through a link until the provider sends the browser back; `until` stops there. */
  goThrough(browser: Browser, link: string, until?: string): Promise<Seen>
  close(): Promise<void>
}

export interface ApiAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface Person {
  readonly sub: string
  readonly user: string
  readonly email: string
}

const json = z.record(z.string(), z.unknown())

/** @returns it, serving. Every provider's people say yes unless told otherwise. */
export async function startConnecting(
  also: Readonly<Record<string, string>> = {},
  options: { readonly leaseMs?: number; readonly clouds?: CloudsOptions } = {},
): Promise<ConnectingUnderTest> {
  const clouds = await startClouds(options.clouds)
  const { drive, dropbox, box, microsoft, issuer } = clouds
  const folder = mkdtempSync(join(tmpdir(), 'waybill-connect-'))
  const reached = (cloud: typeof drive | typeof dropbox, token: string) => ({
    ...cloud.account,
    url: cloud.url,
    tokenUrl: `${cloud.url}${token}`,
  })
  const parts = {
    drive: reached(drive, '/token'),
    dropbox: reached(dropbox, '/oauth2/token'),
    box: { ...box.account, url: box.url },
    microsoft: { ...microsoft.account, url: microsoft.url },
    issuer,
  }
  const settings = readSettings({
    ...settingsFor(parts, folder),
    // Tests ask more than people do.
    WAYBILL_LIMITS: 'off',
    ...also,
  })
  const logged: string[] = []
  const log = createLog({ write: (line) => logged.push(line), clock: Date.now, level: 'debug' })
  const kek = {
    id: 'test',
    key: createSecretKey(randomBytes(32)),
    created: '',
    state: 'active' as const,
  }
  const signKey = { id: 'test', key: generateKeyPairSync('ed25519').privateKey, created: '' }
  const report = () => undefined
  const platform = openOneMachine(
    settings,
    { keks: [kek], signKeys: [signKey] },
    { now: Date.now, random: randomBytes, report },
  )
  const waybill = openWaybill({
    settings,
    platform,
    log,
    sliceMs: 60_000,
    ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
  })
  const { port } = new URL(await waybill.serve())
  const url = `http://localhost:${port}`

  const person = (sub: string, email: string): Person => ({
    sub,
    email,
    user: userIdOf('https://accounts.google.com', sub),
  })
  const ann = person(drive.account.id, drive.account.email)
  const bob = person('100000000000000000002', 'bob@example.com')
  const controls = {
    google: drive.oauth,
    'google-drive': drive.oauth,
    dropbox: dropbox.oauth,
    box: box.oauth,
    microsoft: microsoft.oauth,
  }
  for (const [at, control] of Object.entries(controls)) {
    control.addRedirectUri(`${url}/oauth/${at}/callback`)
    control.everyVisit({ decision: 'allow' })
  }
  drive.oauth.addPerson({ id: bob.sub, email: bob.email, name: 'Bob' })

  const api: ConnectingUnderTest['api'] = async (who, method, path, body) => {
    const token = await issuer.mintIdToken({ sub: who.sub, aud: drive.account.clientId })
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: json.parse(await response.json()) }
  }

  return {
    clouds,
    waybill,
    url,
    ann,
    bob,
    logged,
    stored: () =>
      readdirSync(folder)
        .map((name) => readFileSync(join(folder, name), 'latin1'))
        .join(''),
    oauth: (provider) => controls[provider],
    api,
    link: async (who, provider, tier) => {
      const asked = { provider, ...(tier === undefined ? {} : { tier }) }
      const { status, body } = await api(who, 'POST', '/v1/connections/start', asked)
      if (status !== 201) throw new Error(`no link: ${JSON.stringify(body)}`)
      return String(body['url'])
    },
    browserOf: async (who) => {
      const browser = createBrowser()
      drive.oauth.nextVisit({ decision: 'allow', as: who.sub })
      const first = await browser.open(`${url}/connect/accounts`)
      const seen = await browser.press(first, /Sign in with Google/)
      if (seen.url !== `${url}/connect/accounts`) throw new Error(`not signed in: ${seen.text}`)
      return browser
    },
    goThrough: async (browser, link, until) =>
      browser.press(await browser.open(link), /Continue to/, until),
    close: async () => {
      await waybill.close()
      await clouds.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
