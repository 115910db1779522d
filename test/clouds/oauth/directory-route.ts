import type { Answer, Call, Route } from '../call.ts'
import { googleError } from '../drive/errors.ts'
import { opaqueId } from '../random.ts'
import { bearerOf } from './authorization-server.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import type { Person } from './people.ts'

const scopes = [
  'https://www.googleapis.com/auth/admin.directory.user.readonly',
  'https://www.googleapis.com/auth/admin.directory.user',
]

/** `users.get` of the Directory API, https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/get. */
export function directoryRoute(server: AuthorizationServer): Route {
  return {
    name: 'google.directory.users.get',
    kind: 'read',
    method: 'GET',
    path: '/admin/directory/v1/users/{userKey}',
    handle: (call) => userOf(server, call),
  }
}

function userOf(server: AuthorizationServer, { headers, params, query }: Call): Answer {
  const caller = bearerOf(server, headers.authorization)
  if (caller === null)
    return googleError(401, 'authError', 'Invalid Credentials', {
      location: 'Authorization',
      locationType: 'header',
    })
  if (!caller.scopes.some((scope) => scopes.includes(scope))) return insufficientScope()
  const isPublicView = query.get('viewType') === 'domain_public'
  const { organization, isAdmin } = caller.person
  if (organization === undefined || (isAdmin !== true && !isPublicView))
    return googleError(403, 'forbidden', 'Not Authorized to access this resource/api')
  const person = server.people.find(params['userKey'] ?? '')
  if (person === undefined || person.organization !== organization)
    return googleError(404, 'notFound', 'Resource Not Found: userKey')
  return { json: isPublicView ? publicUser(person) : wholeUser(person) }
}

/** 403 for a token that was not granted what a call needs. */
export function insufficientScope(): Answer {
  return googleError(
    403,
    'insufficientPermissions',
    'Request had insufficient authentication scopes.',
  )
}

function publicUser({ id, email, name }: Person): object {
  return {
    kind: 'admin#directory#user',
    id,
    primaryEmail: email,
    name: { fullName: name, displayName: name },
    emails: [{ address: email, primary: true }],
  }
}

function wholeUser(person: Person): object {
  const { email, organization, aliases = [], isAdmin = false, isSuspended = false } = person
  const { customer = organization } = person
  return {
    ...publicUser(person),
    isAdmin,
    isDelegatedAdmin: false,
    suspended: isSuspended,
    archived: false,
    customerId: `C0${opaqueId(`customer ${customer}`, 7).toLowerCase()}`,
    emails: [{ address: email, primary: true }, ...aliases.map((address) => ({ address }))],
    ...(aliases.length === 0 ? {} : { aliases }),
  }
}
