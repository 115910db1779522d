import type { Freezing } from '../run/freezing.ts'
import { nothing, route, type Route } from './route.ts'

/** @returns the routes of a person's own emergency stop. */
export function freezeRoutes(freezing: Freezing): readonly Route[] {
  const described = { params: nothing, query: nothing, body: nothing } as const
  const success = { status: 200, shape: 'Freeze' } as const
  return [
    route({
      ...described,
      method: 'get',
      path: '/v1/freeze',
      name: 'getFreeze',
      summary: 'Says whether everything is frozen.',
      success,
      errors: [],
      handle: async ({ user }) => ({ json: await freezing.look(user) }),
    }),
    route({
      ...described,
      method: 'post',
      path: '/v1/freeze',
      name: 'freeze',
      summary: 'Stops everything within a minute, and lets nothing begin.',
      success,
      errors: ['body_too_large'],
      handle: async ({ user }) => ({ json: await freezing.freeze(user) }),
    }),
    route({
      ...described,
      method: 'post',
      path: '/v1/unfreeze',
      name: 'unfreeze',
      summary: 'Ends a freeze: what it stopped goes on.',
      success,
      errors: ['body_too_large', 'forbidden'],
      // A token of the sidebar does not say when its bearer has last shown who they are.
      handle: async ({ user }) => ({ json: await freezing.unfreezeSignedIn(user, null) }),
    }),
  ]
}
