import { z } from 'zod'
import type { Connecting } from '../connect/connecting.ts'
import type { ConnectionView, Connections } from '../connect/connections-view.ts'
import type { Disconnecting } from '../connect/disconnect.ts'
import type { Picking } from '../connect/picking.ts'
import { nothing, route, type Route } from './route.ts'
import { connectRequest, id } from './schemas.ts'

/** What the routes need. */
export interface ConnectionParts {
  readonly connections: Connections
  readonly connecting: Pick<Connecting, 'start' | 'confirm'>
  readonly disconnecting: Pick<Disconnecting, 'disconnect' | 'pending'>
  readonly picking: Pick<Picking, 'picked'>
}

const params = z.strictObject({ id })

/** @returns the routes by which a person sees, adds and ends their connections. */
export function connectionRoutes(parts: ConnectionParts): readonly Route[] {
  const { connections, connecting, disconnecting, picking } = parts
  return [
    route({
      method: 'get',
      path: '/v1/connections',
      name: 'listConnections',
      scope: 'accounts:read',
      summary: 'Lists the accounts that Waybill may use, and those that are still to be revoked.',
      params: nothing,
      query: nothing,
      body: nothing,
      success: { status: 200, shape: 'ConnectionList' },
      errors: [],
      handle: async ({ user }) => {
        const list = await connections.list(user)
        const pending = await disconnecting.pending(user)
        return {
          json: {
            connections: list.map(shown),
            pending: pending.map(({ id: was, provider, until }) => ({ id: was, provider, until })),
          },
        }
      },
    }),
    route({
      method: 'post',
      path: '/v1/connections/start',
      name: 'startConnecting',
      scope: 'accounts:manage',
      budget: 'connect',
      summary:
        'Gives a link by which the person connects an account in their browser, once, within 10 minutes.',
      params: nothing,
      query: nothing,
      body: connectRequest,
      success: { status: 201, shape: 'ConnectLink' },
      errors: ['settings_invalid', 'frozen', 'policy_refused', 'body_too_large'],
      handle: async ({ user, body }) => {
        const { url, expiresAt } = await connecting.start(user, body)
        return { json: { url, expiresAt } }
      },
    }),
    route({
      method: 'post',
      path: '/v1/connections/:id/confirm',
      name: 'confirmConnection',
      scope: 'accounts:manage',
      summary: 'Says that the account is the one that is meant: jobs may use it from then on.',
      params,
      query: nothing,
      body: nothing,
      success: { status: 200, shape: 'Connection' },
      errors: ['not_found', 'wrong_state', 'body_too_large'],
      handle: async (call) => ({
        json: shown(await connecting.confirm(call.user, call.params.id)),
      }),
    }),
    route({
      method: 'get',
      path: '/v1/connections/:id/picked',
      name: 'listPickedFiles',
      summary:
        'Gives the files that were picked in the last day, and the page on which they are: no ids and null before that.',
      params,
      query: nothing,
      body: nothing,
      success: { status: 200, shape: 'PickedFiles' },
      errors: ['not_found'],
      handle: async (call) => {
        const { url, ids, pickedAt } = await picking.picked(call.user, call.params.id)
        return { json: { url, ids, pickedAt } }
      },
    }),
    route({
      method: 'delete',
      path: '/v1/connections/:id',
      name: 'disconnect',
      scope: 'accounts:manage',
      summary: 'Forgets an account, and has its provider take the access back.',
      params,
      query: nothing,
      body: nothing,
      success: { status: 200, shape: 'Disconnected' },
      errors: ['not_found'],
      handle: async (call) => ({
        json: await disconnecting.disconnect(call.user, call.params.id),
      }),
    }),
  ]
}

/** Picked one by one: what a connection holds besides must never slip out with it. */
function shown({ id: own, provider, account, state, tier }: ConnectionView): ConnectionView {
  return { id: own, provider, account, state, tier }
}
