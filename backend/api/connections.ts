import type { Connections } from '../connect/connections-view.ts'
import { nothing, route, type Route } from './route.ts'

/** @returns the route by which a person sees their connections. */
export function connectionRoutes(connections: Connections): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/connections',
      name: 'listConnections',
      summary: 'Lists the accounts that Waybill may use.',
      params: nothing,
      query: nothing,
      body: nothing,
      success: { status: 200, shape: 'ConnectionList' },
      errors: [],
      handle: async ({ user }) => {
        const list = await connections.list(user)
        // Picked one by one: what a connection holds besides must never slip out with it.
        return {
          json: {
            connections: list.map(({ id, provider, account, state }) => ({
              id,
              provider,
              account,
              state,
            })),
          },
        }
      },
    }),
  ]
}
