import type { Express } from 'express'
import { createAuthenticate } from '../api/authenticate.ts'
import { createAuthenticateAccount } from '../api/authenticate-account.ts'
import { createReadGoogleEvent } from '../api/google-events.ts'
import { createGoogleKeys } from '../api/google-keys.ts'
import type { TaskServing } from '../api/tasks.ts'
import { createApp, createRunnerApp } from '../app.ts'
import type { AppDeps } from '../app.ts'
import type { GoogleEvents } from '../run/google-events.ts'
import type { Settings } from '../config.ts'
import type { Accounts } from './accounts.ts'
import type { createDomains } from './domains.ts'

type Served = Omit<AppDeps, 'authenticate' | 'tasks' | 'pages' | 'domains' | 'googleEvents'> & {
  readonly domains: ReturnType<typeof createDomains>
  readonly googleEvents: GoogleEvents
} & Omit<TaskServing, 'authenticate'> &
  Accounts

/** @returns what the settings' role serves: the API, what the queue calls, or both. */
export function servedApp(settings: Settings, deps: Served): Express {
  const { audiences, hostedDomains, google, googleCloud, role } = settings
  const { issuers, jwksUrl } = google
  const { clock } = deps
  const { arrived } = deps.domains
  const keys = createGoogleKeys({ url: jwksUrl, fetch, clock })
  const rules = { issuers, audiences, hostedDomains }
  // The pages sign people in as the client that also connects their Drive.
  const ofPages = { ...rules, audiences: [google.clientId] }
  const pages = {
    ...deps,
    authenticateBrowser: createAuthenticate({ rules: ofPages, keys, clock, arrived }),
  }
  // Reports are made out to any of our clients.
  const ofReports = { issuers, audiences: [...audiences, google.clientId] }
  const read = createReadGoogleEvent({ rules: ofReports, keys, clock })
  const people = {
    ...deps,
    pages,
    googleEvents: { read, googleEvents: deps.googleEvents },
    authenticate: createAuthenticate({ rules, keys, clock, arrived }),
  }
  if (googleCloud === null || role === 'api') return createApp(people)
  const { audience, accounts } = googleCloud.runner
  const ours = createAuthenticateAccount({ rules: { issuers, audience, accounts }, keys, clock })
  const tasks = { ...deps, authenticate: ours }
  return role === 'runner' ? createRunnerApp(tasks) : createApp({ ...people, tasks })
}
