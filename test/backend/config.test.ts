import { describe, expect, it } from '@jest/globals'
import { readSettings } from '../../backend/config.ts'
import { asWaybillError } from '../../shared/errors.ts'

const least = {
  GOOGLE_CLIENT_ID: 'google-id',
  GOOGLE_CLIENT_SECRET: 'google-secret',
  DROPBOX_APP_KEY: 'dropbox-key',
  DROPBOX_APP_SECRET: 'dropbox-secret',
}

const inCloud = {
  WAYBILL_PLATFORM: 'google-cloud',
  GOOGLE_CLOUD_PROJECT: 'my-project',
  WAYBILL_KMS_KEY: 'projects/my-project/locations/europe-west3/keyRings/waybill/cryptoKeys/keks',
  WAYBILL_SIGNING_KEY:
    'projects/my-project/locations/europe-west3/keyRings/waybill/cryptoKeys/heads/cryptoKeyVersions/1',
  WAYBILL_TASKS_QUEUE: 'projects/my-project/locations/europe-west3/queues/runs',
  WAYBILL_TASKS_ACCOUNT: 'queue@my-project.iam.gserviceaccount.com',
  WAYBILL_RUNNER_URL: 'https://runner.example/',
  PUBLIC_URL: 'https://waybill.example/',
}

/** What is said about settings that are refused. */
function advice(environment: Readonly<Record<string, string | undefined>>): string {
  try {
    readSettings(environment)
  } catch (error) {
    const { code, message } = asWaybillError(error)
    return `${code}\n${message}`
  }
  return 'taken'
}

describe('settings', () => {
  it('are those of the real providers on this machine unless told otherwise', () => {
    expect(readSettings({ ...least, PATH: '/bin' })).toEqual({
      host: '127.0.0.1',
      port: 8080,
      environment: 'local',
      role: 'all',
      googleCloud: null,
      store: './waybill.db',
      wallet: './wallet.age',
      audiences: ['google-id'],
      hostedDomains: [],
      publicUrl: null,
      wholeDrive: false,
      protection: { trustedProxies: 0, countryHeader: null, alarm: 'note', limits: true },
      delegation: null,
      logLevel: 'info',
      metricsUrl: null,
      google: {
        issuers: ['https://accounts.google.com', 'accounts.google.com'],
        jwksUrl: 'https://www.googleapis.com/oauth2/v3/certs',
        apiUrl: 'https://www.googleapis.com',
        authorizeUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
        tokenUrl: 'https://oauth2.googleapis.com/token',
        revokeUrl: 'https://oauth2.googleapis.com/revoke',
        directoryUrl: 'https://admin.googleapis.com',
        clientId: 'google-id',
        clientSecret: 'google-secret',
      },
      dropbox: {
        apiUrl: 'https://api.dropboxapi.com',
        contentUrl: 'https://content.dropboxapi.com',
        authorizeUrl: 'https://www.dropbox.com/oauth2/authorize',
        tokenUrl: 'https://api.dropboxapi.com/oauth2/token',
        appKey: 'dropbox-key',
        appSecret: 'dropbox-secret',
      },
      box: null,
      microsoft: null,
      pages: { operator: { name: null, contact: null }, picker: null },
    })
  })

  it('say who runs it, and with which key files are picked', () => {
    const read = readSettings({
      ...least,
      WAYBILL_OPERATOR: 'Example Ltd',
      WAYBILL_SUPPORT: 'help@example.com',
      GOOGLE_API_KEY: 'key',
      GOOGLE_APP_ID: '1234567890',
    })
    expect(read.pages).toEqual({
      operator: { name: 'Example Ltd', contact: 'help@example.com' },
      picker: {
        scriptUrl: 'https://apis.google.com/js/api.js',
        apiKey: 'key',
        appId: '1234567890',
      },
    })
    expect(advice({ ...least, GOOGLE_APP_ID: '1' })).toContain('GOOGLE_API_KEY: set it as well')
    expect(advice({ ...least, GOOGLE_API_KEY: 'key' })).toContain('GOOGLE_APP_ID: set it as well')
    expect(advice({ ...least, WAYBILL_SUPPORT: 'javascript:alert(1)' })).toContain(
      'WAYBILL_SUPPORT: set it to an e-mail address or an https URL',
    )
  })

  it('can all be set, lists by commas', () => {
    const read = readSettings({
      ...least,
      PORT: '0',
      HOST: '0.0.0.0',
      WAYBILL_ENV: 'staging-2',
      WAYBILL_STORE: '/data/w.db',
      WAYBILL_WALLET: '/data/w.age',
      WAYBILL_AUDIENCES: ' a , b,',
      WAYBILL_HOSTED_DOMAINS: 'example.com',
      LOG_LEVEL: 'silent',
      GOOGLE_ISSUERS: 'http://127.0.0.1:9',
      GOOGLE_JWKS_URL: 'http://127.0.0.1:9/certs',
      DROPBOX_API_URL: 'http://localhost:7/',
      DROPBOX_CONTENT_URL: 'http://[::1]:7',
    })
    expect(read).toMatchObject({
      port: 0,
      host: '0.0.0.0',
      environment: 'staging-2',
      store: '/data/w.db',
      wallet: '/data/w.age',
      audiences: ['a', 'b'],
      hostedDomains: ['example.com'],
      logLevel: 'silent',
      google: { issuers: ['http://127.0.0.1:9'], jwksUrl: 'http://127.0.0.1:9/certs' },
      dropbox: { apiUrl: 'http://localhost:7', contentUrl: 'http://[::1]:7' },
    })
  })

  it('of Box and Microsoft are there where there is a client', () => {
    const read = readSettings({
      ...least,
      PUBLIC_URL: 'https://waybill.example/',
      WAYBILL_WHOLE_DRIVE: 'on',
      BOX_CLIENT_ID: 'box-id',
      BOX_CLIENT_SECRET: 'box-secret',
      MICROSOFT_CLIENT_ID: 'microsoft-id',
      MICROSOFT_CLIENT_SECRET: 'microsoft-secret',
    })
    expect(read).toMatchObject({
      publicUrl: 'https://waybill.example',
      wholeDrive: true,
      box: { clientId: 'box-id', tokenUrl: 'https://api.box.com/oauth2/token' },
      microsoft: { clientId: 'microsoft-id', graphUrl: 'https://graph.microsoft.com' },
    })
    const half = { ...least, BOX_CLIENT_ID: 'box-id', MICROSOFT_CLIENT_SECRET: 'x' }
    expect(advice(half)).toContain('BOX_CLIENT_SECRET: set it as well')
    expect(advice(half)).toContain('MICROSOFT_CLIENT_ID: set it as well')
    expect(advice({ ...least, PUBLIC_URL: 'https://waybill.example/path' })).toContain('PUBLIC_URL')
    expect(advice({ ...least, PUBLIC_URL: 'http://waybill.example' })).toContain('PUBLIC_URL')
  })

  it('say where everything is in Google Cloud', () => {
    const { role, googleCloud } = readSettings({ ...least, ...inCloud, WAYBILL_ROLE: 'runner' })
    expect(role).toBe('runner')
    expect(googleCloud).toEqual({
      project: 'my-project',
      database: '(default)',
      keysDatabase: 'waybill-keys',
      kmsKey: 'projects/my-project/locations/europe-west3/keyRings/waybill/cryptoKeys/keks',
      signingKey: inCloud.WAYBILL_SIGNING_KEY,
      queue: 'projects/my-project/locations/europe-west3/queues/runs',
      runner: {
        url: 'https://runner.example',
        account: 'queue@my-project.iam.gserviceaccount.com',
        accounts: ['queue@my-project.iam.gserviceaccount.com'],
        audience: 'waybill-runner',
      },
      kmsEndpoint: null,
      tasksEndpoint: null,
    })
  })

  it.each([
    ['GOOGLE_CLOUD_PROJECT', undefined],
    ['WAYBILL_KMS_KEY', 'keks'],
    ['WAYBILL_KMS_KEY', undefined],
    ['WAYBILL_SIGNING_KEY', inCloud.WAYBILL_KMS_KEY],
    ['WAYBILL_SIGNING_KEY', undefined],
    ['WAYBILL_TASKS_QUEUE', 'projects/p/locations/l/queues/'],
    ['WAYBILL_TASKS_ACCOUNT', 'somebody@example.com'],
    ['WAYBILL_RUNNER_URL', 'http://runner.example'],
    ['WAYBILL_RUNNER_URL', undefined],
    ['WAYBILL_RUNNER_URL', 'https://runner.example/tasks/'],
    ['PUBLIC_URL', undefined],
    ['PUBLIC_URL', 'https://waybill.example/path'],
    ['WAYBILL_KEYS_DATABASE', '(default)'],
    ['WAYBILL_DATABASE', 'Not a database'],
    ['WAYBILL_KMS_ENDPOINT', 'kms.example:443'],
    ['WAYBILL_ROLE', 'worker'],
    ['WAYBILL_PLATFORM', 'moon'],
  ])('name %s when it is %s', (name, value) => {
    const said = advice({ ...least, ...inCloud, [name]: value })
    expect(said).toMatch(new RegExp(`^settings_invalid\\n[^\\n]*\\n  ${name}: [^\\n]+$`))
  })

  it('of Google Cloud are not asked for on one machine, which has but one process', () => {
    expect(readSettings({ ...least, WAYBILL_KMS_KEY: 'whatever' }).googleCloud).toBeNull()
    expect(advice({ ...least, WAYBILL_ROLE: 'runner' })).toContain('WAYBILL_ROLE: ')
  })

  it('never let the clients write secrets into the log', () => {
    expect(advice({ ...least, GOOGLE_SDK_NODE_LOGGING: 'all' })).toContain('leave it out')
  })

  it('that are missing or wrong are all named at once, with what to do and without their values', () => {
    const said = advice({
      GOOGLE_CLIENT_ID: ' ',
      DROPBOX_APP_KEY: 'canary',
      PORT: 'canary',
      LOG_LEVEL: 'canary',
      WAYBILL_ENV: 'Canary!',
      WAYBILL_AUDIENCES: ',',
      DROPBOX_API_URL: 'http://canary.example',
    })
    expect(said.split('\n').map((line) => line.split(': ')[0]?.trim())).toEqual([
      'settings_invalid',
      'Some settings are missing or wrong:',
      'PORT',
      'WAYBILL_ENV',
      'WAYBILL_AUDIENCES',
      'LOG_LEVEL',
      'GOOGLE_CLIENT_ID',
      'GOOGLE_CLIENT_SECRET',
      'DROPBOX_API_URL',
      'DROPBOX_APP_SECRET',
    ])
    expect(said).toContain(
      'GOOGLE_CLIENT_ID: set it to the client id from the Google Cloud console',
    )
    expect(said.toLowerCase()).not.toContain('canary')
  })

  it.each([
    'http://api.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://10.0.0.1',
    'http://0x7f000001.example',
    'ftp://127.0.0.1',
    'https://user:pass@api.example.com',
    'https://api.example.com?a=b',
    'api.example.com',
    'file:///etc/passwd',
  ])('do not send tokens to %s', (url) => {
    expect(advice({ ...least, GOOGLE_TOKEN_URL: url })).toContain('GOOGLE_TOKEN_URL')
  })

  it.each(['65536', '-1', '8o', '1.5'])('do not take the port %s', (port) => {
    expect(advice({ ...least, PORT: port })).toContain('PORT')
  })
})
