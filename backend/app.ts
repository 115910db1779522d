import { createServer, type Server } from 'node:http'
import express, { type ErrorRequestHandler, type Express, type Request } from 'express'
import helmet from 'helmet'
import { accountEndpoints, type AccountServing } from './api/account-pages.ts'
import { connectEndpoints, type ConnectServing } from './api/connect-pages.ts'
import { connectionRoutes, type ConnectionParts } from './api/connections.ts'
import { freezeEndpoints } from './api/freeze-pages.ts'
import { eraseEndpoints, type EraseServing } from './api/erase-pages.ts'
import { sendError } from './api/errors.ts'
import { freezeRoutes } from './api/freeze.ts'
import { apiKeyRoutes } from './api/api-keys.ts'
import { adminRoutes } from './api/admin.ts'
import { adminEndpoints } from './api/admin-pages.ts'
import { auditRoutes } from './api/audit.ts'
import { googleEventsHandler, googleEventsPath } from './api/google-events.ts'
import type { GoogleEventServing } from './api/google-events.ts'
import { healthRoutes, type Ready } from './api/health.ts'
import { jobRoutes } from './api/jobs.ts'
import { openApiRoute } from './api/openapi.ts'
import { rightsRoutes } from './api/rights.ts'
import { refuseBrowser, wantsPage } from './api/page-endpoint.ts'
import { pickEndpoints } from './api/pick-pages.ts'
import { publicEndpoints, type PublicServing } from './api/public-pages.ts'
import { receiptRoutes } from './api/receipts.ts'
import type { Route } from './api/route.ts'
import {
  serveError,
  serveNothing,
  serveRoute,
  type Observing,
  type Refuse,
  type Serving,
} from './api/serve-route.ts'
import { taskEndpoints, type TaskServing } from './api/tasks.ts'
import type { Connecting } from './connect/connecting.ts'
import type { Disconnecting } from './connect/disconnect.ts'
import type { Rights } from './rights/rights.ts'
import type { ApiKeys } from './records/api-keys.ts'
import type { Picking } from './connect/picking.ts'
import type { Delegating } from './connect/delegating.ts'
import type { Administering } from './run/administering.ts'
import type { Freezing } from './run/freezing.ts'
import type { AuditLog } from './audit/read-log.ts'
import type { Jobs } from './run/jobs.ts'

export interface AppDeps extends Serving, ConnectionParts {
  readonly jobs: Jobs
  readonly freezing: Freezing
  readonly apiKeys: ApiKeys
  readonly audit: AuditLog
  readonly rights: Omit<Rights, 'proceed'>
  readonly ready: Ready
  /** What administrators of domains do. */
  readonly domains?: {
    readonly administering: Administering
    readonly delegating: Pick<Delegating, 'connect'>
  }
  /** What people see in their browsers. */
  readonly pages?: Pick<
    ConnectServing,
    'sessions' | 'publicUrl' | 'signingIn' | 'authenticateBrowser' | 'offers'
  > &
    Pick<PublicServing, 'operator'> & {
      readonly connecting: Connecting
      readonly disconnecting: Disconnecting
      readonly picking: Picking
    }
  /** Where Google reports what happens to people's accounts. */
  readonly googleEvents?: Pick<GoogleEventServing, 'read' | 'googleEvents'>
  /** Where the runner's endpoints are served beside the API. */
  readonly tasks?: TaskServing
}

export interface RunnerDeps extends TaskServing {
  readonly ready: Ready
}

/** @returns the public API as an Express application, with no state of its own. */
export function createApp(deps: AppDeps): Express {
  const refuseFor = (request: Request): Refuse =>
    deps.pages !== undefined && wantsPage(request) ? refuseBrowser : sendError
  return applicationOf(deps, refuseFor, (app) => {
    app.set('trust proxy', deps.gate?.trustedProxies ?? 0)
    for (const route of allRoutes(deps)) app[route.method](route.path, serveRoute(route, deps))
    const pages = deps.pages === undefined ? [] : allPages({ ...deps, ...deps.pages })
    for (const { method, path, handle } of pages) app[method](path, handle)
    if (deps.googleEvents !== undefined)
      app.post(googleEventsPath, googleEventsHandler({ ...deps, ...deps.googleEvents }))
    if (deps.tasks !== undefined) addTasks(app, deps.tasks)
  })
}

/** @returns what only the queue and the scheduler call, as an Express application of its own. */
export function createRunnerApp(deps: RunnerDeps): Express {
  // Health is for everybody: nobody is asked who they are.
  const serving = { ...deps, authenticate: async () => '' }
  const refuseFor = (): Refuse => sendError
  return applicationOf(deps, refuseFor, (app) => {
    for (const route of healthRoutes(deps.ready))
      app[route.method](route.path, serveRoute(route, serving))
    addTasks(app, deps)
  })
}

function addTasks(app: Express, serving: TaskServing): void {
  for (const { path, handle } of taskEndpoints(serving)) app.post(path, handle)
}

/** An application with what every answer has in common; `add` gives it its routes. */
function applicationOf(
  deps: Observing,
  refuseFor: (request: Request) => Refuse,
  add: (app: Express) => void,
): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  // `a[b]=c` makes no objects, and a repeated parameter is a list, which no schema takes.
  app.set('query parser', 'simple')
  app.enable('strict routing')
  app.enable('case sensitive routing')

  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          'default-src': ["'none'"],
          'base-uri': ["'none'"],
          'form-action': ["'none'"],
          'frame-ancestors': ["'none'"],
        },
      },
      strictTransportSecurity: { maxAge: 63_072_000, includeSubDomains: true, preload: true },
      referrerPolicy: { policy: 'no-referrer' },
      xFrameOptions: { action: 'deny' },
    }),
  )
  app.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store')
    next()
  })

  add(app)
  app.use(serveNothing(deps, refuseFor))
  app.use(serveFailure(deps, refuseFor))
  return app
}

/** @returns every route of the API. */
function allRoutes(deps: AppDeps): readonly Route[] {
  const routes = [
    ...jobRoutes(deps.jobs),
    ...receiptRoutes(deps.jobs),
    ...connectionRoutes(deps),
    ...freezeRoutes(deps.freezing),
    ...apiKeyRoutes(deps.apiKeys),
    ...auditRoutes(deps.audit),
    ...rightsRoutes(deps.rights),
    ...(deps.domains === undefined
      ? []
      : adminRoutes(deps.domains.administering, deps.domains.delegating)),
    ...healthRoutes(deps.ready),
  ]
  return [...routes, openApiRoute(routes)]
}

function allPages(
  deps: AccountServing &
    ConnectServing &
    EraseServing &
    PublicServing &
    Pick<AppDeps, 'domains'> &
    Parameters<typeof freezeEndpoints>[0] & { readonly picking: Picking },
) {
  const { domains } = deps
  // Those with a name of their own come before the one with any ticket.
  return [
    ...publicEndpoints(deps),
    ...(domains === undefined ? [] : adminEndpoints({ ...deps, ...domains })),
    ...accountEndpoints(deps),
    ...pickEndpoints(deps),
    ...freezeEndpoints(deps),
    ...eraseEndpoints(deps),
    ...connectEndpoints(deps),
  ]
}

/** What Express itself could not do: a path that is not well-formed. It tells an error handler by its four arguments. */
function serveFailure(
  serving: Observing,
  refuseFor: (request: Request) => Refuse,
): ErrorRequestHandler {
  return async (error: unknown, request, response, _next) => {
    await serveError(error, request, response, serving, refuseFor(request))
  }
}

/**
 * @returns a server, not yet listening, that lets nobody hold a connection by sending slowly: 10 s for the headers
 * (at most 16 KiB and 100 of them), 30 s for a whole request. How long an answer takes is not limited.
 */
export function createHttpServer(app: Express): Server {
  const server = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      maxHeaderSize: 16 * 1024,
      // Who is late is looked for this often.
      connectionsCheckingInterval: 5_000,
    },
    app,
  )
  server.maxHeadersCount = 100
  return server
}
