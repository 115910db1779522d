import type { CatalogueFault, FaultAct } from './fault-catalogue.ts'

/** Dropbox's error document, https://www.dropbox.com/developers/documentation/http/documentation#error-handling. */
function dropbox(
  status: number,
  summary: string,
  error: unknown,
  headers: Readonly<Record<string, string>> = {},
): FaultAct {
  return { kind: 'answer', status, headers, body: { error_summary: `${summary}/..`, error } }
}

function limited(reason: string, seconds: number): FaultAct {
  const error = { reason: { '.tag': reason }, retry_after: seconds }
  return dropbox(429, reason, error, { 'retry-after': String(seconds) })
}

function unauthorized(tag: string): FaultAct {
  return dropbox(401, tag, { '.tag': tag })
}

/** The handler refuses to save: the shape depends on the route, and the bytes stay in the session. */
const refusedCommit: FaultAct = { kind: 'inside' }

const any = ['dropbox.*'] as const
const token = ['dropbox.token'] as const
const commits = [
  'dropbox.files/upload',
  'dropbox.files/upload_session/finish',
  'dropbox.files/upload_session/finish_batch_v2',
] as const
const downloads = ['dropbox.files/download'] as const
const appends = [
  'dropbox.files/upload',
  'dropbox.files/upload_session/start',
  'dropbox.files/upload_session/append_v2',
  'dropbox.files/upload_session/append_batch',
] as const
const sessions = ['dropbox.files/upload_session/append_v2'] as const
const batchEntries = ['dropbox.files/upload_session/finish_batch_v2'] as const

type Row = readonly [id: string, routes: readonly string[], transient: boolean, act: FaultAct]

const rows: readonly Row[] = [
  ['dropbox.expired_access_token', any, true, unauthorized('expired_access_token')],
  ['dropbox.invalid_access_token', any, false, unauthorized('invalid_access_token')],
  ['dropbox.user_suspended', any, false, unauthorized('user_suspended')],
  [
    'dropbox.missing_scope',
    any,
    false,
    dropbox(401, 'missing_scope/.', {
      '.tag': 'missing_scope',
      required_scope: 'files.content.write',
    }),
  ],
  [
    'dropbox.invalid_grant',
    token,
    false,
    {
      kind: 'answer',
      status: 400,
      body: { error: 'invalid_grant', error_description: 'refresh token is invalid or revoked' },
    },
  ],
  ['dropbox.too_many_requests', any, true, limited('too_many_requests', 1)],
  [
    'dropbox.too_many_write_operations_429',
    ['@write'],
    true,
    limited('too_many_write_operations', 1),
  ],
  [
    'dropbox.429_text',
    any,
    true,
    {
      kind: 'answer',
      status: 429,
      headers: { 'retry-after': '1', 'content-type': 'text/plain' },
      body: 'Too many requests',
    },
  ],
  ['dropbox.too_many_write_operations_entry', batchEntries, true, { kind: 'inside' }],
  ['dropbox.session_not_found', sessions, true, dropbox(409, 'not_found', { '.tag': 'not_found' })],
  [
    'dropbox.content_hash_mismatch',
    appends,
    true,
    dropbox(409, 'content_hash_mismatch', { '.tag': 'content_hash_mismatch' }),
  ],
  ['dropbox.insufficient_space', commits, false, refusedCommit],
  ['dropbox.disallowed_name', commits, false, refusedCommit],
  ['dropbox.no_write_permission', commits, false, refusedCommit],
  ['dropbox.access_restricted', commits, false, refusedCommit],
  [
    'dropbox.encryption_not_supported',
    ['dropbox.files/upload'],
    false,
    dropbox(409, 'encryption_not_supported', { '.tag': 'encryption_not_supported' }),
  ],
  [
    'dropbox.restricted_content',
    downloads,
    false,
    dropbox(409, 'path/restricted_content', {
      '.tag': 'path',
      path: { '.tag': 'restricted_content' },
    }),
  ],
  [
    'dropbox.unsupported_file',
    downloads,
    false,
    dropbox(409, 'unsupported_file', { '.tag': 'unsupported_file' }),
  ],
  [
    'dropbox.path_root',
    ['dropbox.files/*'],
    false,
    dropbox(422, 'invalid_root', {
      '.tag': 'invalid_root',
      invalid_root: {
        '.tag': 'team',
        root_namespace_id: '7',
        home_namespace_id: '1',
        home_path: '/Franz Ferdinand',
      },
    }),
  ],
  [
    'dropbox.cursor_reset',
    ['dropbox.files/list_folder/continue'],
    false,
    dropbox(409, 'reset', { '.tag': 'reset' }),
  ],
  [
    'dropbox.bad_request_text',
    any,
    false,
    {
      kind: 'answer',
      status: 400,
      headers: { 'content-type': 'text/plain' },
      body: 'Error in call to API function',
    },
  ],
  ['dropbox.data_transport_limit', appends, false, { kind: 'answer', status: 403, body: null }],
  [
    'dropbox.5xx',
    any,
    true,
    { kind: 'answer', status: 503, body: { error_summary: 'internal_error/..' } },
  ],
  [
    'dropbox.5xx.applied',
    ['@write'],
    true,
    { kind: 'lost-behind', status: 503, body: { error_summary: 'internal_error/..' } },
  ],
]

/** Failures of Dropbox and of its token endpoint. */
export const dropboxFaults: readonly CatalogueFault[] = rows.map(
  ([id, routes, transient, act]) => ({
    id,
    provider: 'dropbox',
    routes,
    transient,
    act,
  }),
)
