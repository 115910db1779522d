import type { CatalogueFault, FaultAct } from './fault-catalogue.ts'

/** Google's error document, https://developers.google.com/workspace/drive/api/guides/handle-errors. */
function google(status: number, reason: string, message: string, domain = 'global'): FaultAct {
  return {
    kind: 'answer',
    status,
    body: { error: { code: status, message, errors: [{ domain, reason, message }] } },
  }
}

function oauth(status: number, error: string, description?: string): FaultAct {
  const body = description === undefined ? { error } : { error, error_description: description }
  return { kind: 'answer', status, body }
}

const drive = ['drive.*'] as const
const token = ['google.token'] as const
const download = ['drive.files.download'] as const
const exports = ['drive.files.export', 'drive.exportLink'] as const

type Row = readonly [id: string, routes: readonly string[], transient: boolean, act: FaultAct]

const rows: readonly Row[] = [
  ['goauth.expired', drive, true, google(401, 'authError', 'Invalid Credentials')],
  [
    'goauth.invalid_grant',
    token,
    false,
    oauth(400, 'invalid_grant', 'Token has been expired or revoked.'),
  ],
  [
    'goauth.invalid_client',
    token,
    false,
    oauth(401, 'invalid_client', 'The OAuth client was not found.'),
  ],
  ['goauth.token_5xx', token, true, oauth(503, 'internal_failure')],
  ['goauth.admin_policy', token, false, oauth(400, 'admin_policy_enforced')],
  [
    'goauth.scope_insufficient',
    drive,
    false,
    google(403, 'insufficientPermissions', 'Insufficient Permission'),
  ],
  [
    'drive.userRateLimitExceeded',
    drive,
    true,
    google(403, 'userRateLimitExceeded', 'User Rate Limit Exceeded', 'usageLimits'),
  ],
  [
    'drive.rateLimitExceeded403',
    drive,
    true,
    google(403, 'rateLimitExceeded', 'Rate Limit Exceeded', 'usageLimits'),
  ],
  [
    'drive.rateLimitExceeded429',
    drive,
    true,
    google(429, 'rateLimitExceeded', 'Rate Limit Exceeded', 'usageLimits'),
  ],
  [
    'drive.dailyLimitExceeded',
    drive,
    false,
    google(403, 'dailyLimitExceeded', 'Daily Limit Exceeded', 'usageLimits'),
  ],
  [
    'drive.downloadQuotaExceeded',
    download,
    false,
    google(403, 'downloadQuotaExceeded', 'The download quota for this file has been exceeded.'),
  ],
  [
    'drive.notFound',
    ['drive.files.get', 'drive.files.download'],
    false,
    google(404, 'notFound', 'File not found: .'),
  ],
  [
    'drive.appNotAuthorizedToFile',
    download,
    false,
    google(
      403,
      'appNotAuthorizedToFile',
      'The user has not granted the app read access to the file.',
    ),
  ],
  [
    'drive.domainPolicy',
    drive,
    false,
    google(403, 'domainPolicy', 'The domain administrators have disabled Drive apps.'),
  ],
  [
    'drive.cannotDownloadFile',
    download,
    false,
    google(403, 'cannotDownloadFile', 'This file cannot be downloaded by the user.'),
  ],
  [
    'drive.abusive',
    download,
    false,
    google(
      403,
      'cannotDownloadAbusiveFile',
      'This file has been identified as malware or spam and cannot be downloaded.',
    ),
  ],
  [
    'drive.fileNotDownloadable',
    download,
    false,
    google(
      403,
      'fileNotDownloadable',
      'Only files with binary content can be downloaded. Use Export with Docs Editors files.',
    ),
  ],
  [
    'drive.exportSizeLimitExceeded',
    ['drive.files.export'],
    false,
    google(403, 'exportSizeLimitExceeded', 'This file is too large to be exported.'),
  ],
  [
    'drive.badExportMime',
    exports,
    false,
    google(400, 'badRequest', 'The requested conversion is not supported.'),
  ],
  [
    'drive.td_membership',
    ['drive.drives.get', 'drive.files.list'],
    false,
    google(
      403,
      'teamDriveMembershipRequired',
      'The attempted action requires shared drive membership.',
    ),
  ],
  [
    'drive.bad_page_token',
    ['drive.files.list', 'drive.changes.list'],
    false,
    google(400, 'invalid', 'Invalid Value'),
  ],
  [
    'drive.incompleteSearch',
    ['drive.files.list'],
    false,
    { kind: 'rewrite', rewrite: (json) => ({ ...json, incompleteSearch: true }) },
  ],
  ['drive.backendError', drive, true, google(500, 'backendError', 'Backend Error')],
  [
    'drive.internal503',
    drive,
    true,
    google(503, 'backendError', 'The service is currently unavailable.'),
  ],
]

/** Failures of Google's token endpoint and of Drive. */
export const googleFaults: readonly CatalogueFault[] = rows.map(([id, routes, transient, act]) => ({
  id,
  provider: 'google',
  routes,
  transient,
  act,
}))
