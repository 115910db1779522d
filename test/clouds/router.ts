import type { IncomingHttpHeaders } from 'node:http'
import type { Route, RouteKind } from './call.ts'

/** The route of a request and what its path says. */
export interface Match {
  readonly route: Route
  readonly name: string
  readonly kind: RouteKind
  readonly params: Readonly<Record<string, string>>
}

/** Finds the route of a request, or null. */
export type FindRoute = (
  method: string,
  path: string,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
) => Match | null

interface Pattern {
  readonly route: Route
  readonly segments: readonly string[]
}

/** A router over these routes. Exact paths win over paths with `{name}` segments, then the first wins. */
export function createRouter(routes: readonly Route[]): FindRoute {
  const exact = new Map<string, Route>()
  const patterns = new Map<string, Pattern[]>()
  for (const route of routes) {
    if (!route.path.includes('{')) {
      exact.set(`${route.method} ${route.path}`, route)
      continue
    }
    const segments = route.path.split('/')
    const shape = `${route.method} ${segments.length}`
    patterns.set(shape, [...(patterns.get(shape) ?? []), { route, segments }])
  }

  return (method, path, query, headers) => {
    const direct = exact.get(`${method} ${path}`)
    if (direct !== undefined) return matched(direct, {}, query, headers)
    const segments = path.split('/')
    for (const pattern of patterns.get(`${method} ${segments.length}`) ?? []) {
      const params = paramsOf(pattern.segments, segments)
      if (params !== null) return matched(pattern.route, params, query, headers)
    }
    return null
  }
}

function matched(
  route: Route,
  params: Readonly<Record<string, string>>,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
): Match {
  return {
    route,
    name: typeof route.name === 'function' ? route.name(query, headers) : route.name,
    kind: typeof route.kind === 'function' ? route.kind(query) : route.kind,
    params,
  }
}

function paramsOf(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | null {
  const params: Record<string, string> = {}
  for (let at = 0; at < pattern.length; at++) {
    const wanted = pattern[at] ?? ''
    const given = segments[at] ?? ''
    if (wanted.startsWith('{')) {
      if (given === '') return null
      params[wanted.slice(1, -1)] = decoded(given)
    } else if (wanted !== given) return null
  }
  return params
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (error) {
    if (error instanceof URIError) return segment
    throw error
  }
}
