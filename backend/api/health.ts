import { openRoute, type Route } from './route.ts'

/** Returns if requests can be served, and throws (usually `store_unavailable`) if not. */
export type Ready = () => Promise<void>

/**
 * Cloud Run keeps some paths that end in `z` for itself: https://docs.cloud.google.com/run/docs/known-issues#ah
 *
 * @returns the routes by which whatever runs Waybill sees that it lives and whether it can work
 */
export function healthRoutes(ready: Ready): readonly Route[] {
  return [
    openRoute({
      method: 'get',
      path: '/health',
      name: 'isAlive',
      summary: 'Answers while the process lives.',
      success: { status: 200, shape: 'Health' },
      errors: [],
      handle: () => ({ json: { status: 'ok' } }),
    }),
    openRoute({
      method: 'get',
      path: '/ready',
      name: 'isReady',
      summary: 'Answers when requests can be served.',
      success: { status: 200, shape: 'Health' },
      errors: ['store_unavailable', 'key_unavailable', 'store_full'],
      handle: async () => {
        await ready()
        return { json: { status: 'ok' } }
      },
    }),
  ]
}
