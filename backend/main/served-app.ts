import type { Express } from 'express'
import { createAuthenticate } from '../api/authenticate.ts'
import { createAuthenticateAccount } from '../api/authenticate-account.ts'
import { createGoogleKeys } from '../api/google-keys.ts'
import type { TaskServing } from '../api/tasks.ts'
import { createApp, createRunnerApp } from '../app.ts'
import type { AppDeps } from '../app.ts'
import type { Settings } from '../config.ts'

type Served = Omit<AppDeps, 'authenticate' | 'tasks'> & Omit<TaskServing, 'authenticate'>

/** @returns what the settings' role serves: the API, what the queue calls, or both. */
export function servedApp(settings: Settings, deps: Served): Express {
  const { audiences, hostedDomains, google, googleCloud, role } = settings
  const { issuers, jwksUrl } = google
  const { clock } = deps
  const keys = createGoogleKeys({ url: jwksUrl, fetch, clock })
  const rules = { issuers, audiences, hostedDomains }
  const people = { ...deps, authenticate: createAuthenticate({ rules, keys, clock }) }
  if (googleCloud === null || role === 'api') return createApp(people)
  const { audience, accounts } = googleCloud.runner
  const ours = createAuthenticateAccount({ rules: { issuers, audience, accounts }, keys, clock })
  const tasks = { ...deps, authenticate: ours }
  return role === 'runner' ? createRunnerApp(tasks) : createApp({ ...people, tasks })
}
