import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { delegatedScopes } from '../../backend/connect/delegate.ts'
import type { JobRequest } from '../../shared/job.ts'
import { policyOf, startDomain } from '../backend/connect/start-domain.ts'
import type { DomainUnderTest, Member } from '../backend/connect/start-domain.ts'

let t: DomainUnderTest
beforeEach(async () => {
  // Slow enough that a run is at work while somebody does something about it.
  t = await startDomain({ leaseMs: 150, clouds: { drive: { latencyMs: 20 } } })
})
afterEach(async () => t.close())

const policy = '/v1/admin/policy'

/** What somebody’s job copies: their own Drive, as their administrator has let Waybill read it, to a Dropbox. */
async function requestOf(who: Member, folder = '/Backup'): Promise<JobRequest> {
  const { status, body } = await t.call(who, 'POST', '/v1/connections/delegated')
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`)
  const to = await t.waybill.connect(who.user, 'dropbox', t.clouds.dropbox.account.refreshToken)
  return {
    kind: 'copy',
    source: {
      connection: String(body['id']),
      selection: { kind: 'drive', sharedDrives: false },
    },
    destination: { connection: to.id, folder },
  }
}

async function runOf(who: Member, job: string) {
  return (await t.waybill.jobs.get(who.user, job)).run
}

/** Waits until the run is as it should be, or will never be. */
async function until(who: Member, job: string, state: string) {
  for (;;) {
    const run = await runOf(who, job)
    if (run.state === state || ['done', 'failed'].includes(run.state)) return run
    await sleep(20)
  }
}

async function actsOf(who: Member): Promise<readonly string[]> {
  await t.waybill.chainActs()
  const { body } = await t.call(who, 'GET', '/v1/admin/audit')
  return [...JSON.stringify(body).matchAll(/"act":"(\w+)"/g)].map(([, act = '']) => act)
}

describe('connecting a domain', () => {
  it('says step by step what is missing, and changes nothing before', async () => {
    const ask = async () => (await t.call(t.ada, 'POST', '/v1/admin/delegation')).body
    const { identity, directory, drive } = delegatedScopes
    const scopes = (...granted: readonly string[]) =>
      [identity, directory, drive].map((scope) => ({ scope, granted: granted.includes(scope) }))
    const { clientId } = t
    expect(await ask()).toEqual({ clientId, scopes: scopes(), connected: false })
    t.delegate('example.com', [directory])
    expect(await ask()).toEqual({ clientId, scopes: scopes(directory), connected: false })
    t.delegate()
    expect(await ask()).toMatchObject({ connected: true })
    expect(await actsOf(t.ada)).toEqual(['domain_connected'])
  })

  it('is for its administrators only: everything else is forbidden to everybody else', async () => {
    await t.connectDomain()
    t.delegate('other.example')
    const asked = [
      ['GET', policy],
      ['PUT', policy, policyOf({})],
      ['GET', '/v1/admin/people'],
      ['GET', '/v1/admin/audit'],
      ['POST', '/v1/admin/delegation'],
      ['POST', '/v1/admin/freeze', { all: true }],
      ['POST', '/v1/admin/unfreeze', { user: t.ada.user }],
    ] as const
    for (const [method, path, body] of asked) {
      const { status } = await t.call(t.adam, method, path, body)
      expect([method, path, status]).toEqual([method, path, 403])
    }
    // Nor is it for an administrator whose address is somebody else’s now.
    t.oauth('google').changePerson(t.ada.sub, { isSuspended: true })
    expect((await t.call(t.ada, 'GET', policy)).status).toBe(403)
    t.oauth('google').changePerson(t.ada.sub, { isSuspended: false, isAdmin: false })
    expect((await t.call(t.ada, 'GET', policy)).status).toBe(403)
  })

  it('keeps domains apart', async () => {
    await t.connectDomain()
    t.delegate('other.example')
    await t.call(t.adam, 'GET', '/v1/jobs')
    await t.call(t.oscar, 'POST', '/v1/admin/delegation')
    await t.call(t.oscar, 'PUT', policy, policyOf({ destinations: [] }))
    expect((await t.call(t.ada, 'GET', policy)).body).toMatchObject({
      version: 0,
      domains: ['example.com'],
    })
    for (const act of ['freeze', 'unfreeze'])
      expect(
        (await t.call(t.oscar, 'POST', `/v1/admin/${act}`, { user: t.adam.user })).status,
      ).toBe(404)
    const theirs = JSON.stringify([
      await t.call(t.oscar, 'GET', '/v1/admin/people'),
      await t.call(t.oscar, 'GET', '/v1/admin/audit'),
    ])
    for (const secret of [t.adam.user, t.ada.user, t.ada.email])
      expect(theirs).not.toContain(secret)
    const named = { wholeDrive: { people: [t.adam.email] } }
    expect((await t.call(t.oscar, 'PUT', policy, policyOf(named))).status).toBe(400)
  })

  it('lets its people go on under another name of the domain', async () => {
    await t.connectDomain()
    await t.call(t.ada, 'PUT', policy, policyOf({ destinations: ['box'] }))
    await t.call(t.adam, 'GET', '/v1/jobs')
    const google = t.oauth('google')
    const renamed = (who: Member): Member => {
      const email = who.email.replace('example.com', 'new.example')
      // Google keeps the old addresses as aliases, and the customer its id.
      const facts = { email, aliases: [who.email], organization: 'new.example' }
      google.changePerson(who.sub, { ...facts, customer: 'example.com' })
      return { ...who, email, hd: 'new.example' }
    }
    const [adam, ada] = [renamed(t.adam), renamed(t.ada)]
    t.delegate('new.example')
    const start = { provider: 'dropbox' }
    const { status, body } = await t.call(adam, 'POST', '/v1/connections/start', start)
    expect([status, body]).toMatchObject([409, { error: { code: 'policy_refused' } }])
    expect((await t.call(ada, 'GET', policy)).body).toMatchObject({
      version: 1,
      domains: ['example.com', 'new.example'],
    })
  })
})

describe('a policy', () => {
  it('stops a job at work with the next renewal, and lets it go on once it is allowed again', async () => {
    await t.connectDomain()
    const { drive } = t.clouds
    const folder = drive.addFolder('Folder')
    for (let n = 0; n < 200; n += 1) drive.addFile(folder, `f${n}`, `content ${n}`)
    const request = await requestOf(t.adam)
    await t.waybill.work()
    const { id } = await t.waybill.jobs.create(t.adam.user, request)
    while ((await runOf(t.adam, id)).totals.copied === 0) await sleep(10)
    await t.call(t.ada, 'PUT', policy, policyOf({ destinations: ['box'] }))
    expect(await until(t.adam, id, 'paused')).toMatchObject({
      state: 'paused',
      reason: 'policy_refused',
      resumesAt: null,
    })
    const refused = { code: 'policy_refused' }
    await expect(t.waybill.jobs.resume(t.adam.user, id)).rejects.toMatchObject(refused)
    await expect(t.waybill.jobs.create(t.adam.user, request)).rejects.toMatchObject(refused)
    await t.call(t.ada, 'PUT', policy, policyOf({}))
    await t.waybill.jobs.resume(t.adam.user, id)
    expect(await until(t.adam, id, 'paused')).toMatchObject({ state: 'done' })
    const copied = Object.values(await t.clouds.dropbox.dump()).filter(
      ({ kind }) => kind === 'file',
    )
    expect(copied).toHaveLength(200)
    expect(await actsOf(t.ada)).toEqual(
      expect.arrayContaining(['policy_changed', 'account_connected', 'job_created', 'job_resumed']),
    )
  }, 120_000)

  it.each([
    ['a cloud', { destinations: ['box'] }, 'dropbox'],
    ['accounts of others', { personalAccounts: false }, 'dropbox'],
    ['the whole Drive', { wholeDrive: 'nobody' }, 'google-drive'],
    [
      'the whole Drive but for others',
      { wholeDrive: { people: ['ada@example.com'] } },
      'google-drive',
    ],
  ] as const)('that forbids %s is asked when an account is connected', async (_what, parts, at) => {
    await t.connectDomain()
    expect((await t.call(t.ada, 'PUT', policy, policyOf(parts))).status).toBe(200)
    await t.call(t.adam, 'GET', '/v1/jobs')
    const connect =
      at === 'dropbox'
        ? t.waybill.connect(t.adam.user, at, t.clouds.dropbox.account.refreshToken)
        : t.waybill.connect(t.adam.user, at, t.clouds.drive.account.refreshToken)
    await expect(connect).rejects.toMatchObject({ code: 'policy_refused' })
    expect(await t.waybill.connections.list(t.adam.user)).toEqual([])
    // Nobody else is kept from anything.
    await t.waybill.connect(
      t.bob.user,
      at,
      t.clouds[at === 'dropbox' ? at : 'drive'].account.refreshToken,
    )
  })
})

it('an account that the policy refuses once it is known is given back to its provider', async () => {
  await t.connectDomain()
  await t.call(t.ada, 'PUT', policy, policyOf({ places: [] }))
  const browser = await t.browserOf(t.adam)
  const { body } = await t.call(t.adam, 'POST', '/v1/connections/start', { provider: 'box' })
  const before = t.oauth('box').liveGrants().length
  const back = await t.goThrough(browser, String(body['url']))
  expect([back.status, back.text.includes('The policy of your domain')]).toEqual([409, true])
  expect(t.oauth('box').liveGrants()).toHaveLength(before)
  expect(await t.waybill.connections.list(t.adam.user)).toEqual([])
})

describe('a delegated account', () => {
  beforeEach(() => t.connectDomain())

  it('is connected without anybody being asked, and copied from', async () => {
    t.clouds.drive.addFile(t.clouds.drive.addFolder('Folder'), 'a', 'a')
    const request = await requestOf(t.adam)
    await t.waybill.work()
    const { id } = await t.waybill.jobs.create(t.adam.user, request)
    expect(await until(t.adam, id, 'paused')).toMatchObject({
      state: 'done',
      totals: { copied: 2 },
    })
  })

  it('is frozen, and nothing copied, once its address is somebody else’s', async () => {
    t.clouds.drive.addFile(t.clouds.drive.addFolder('Folder'), 'a', 'a')
    const request = await requestOf(t.adam)
    const google = t.oauth('google')
    google.changePerson(t.adam.sub, { email: 'adam.former@example.com' })
    const next = { id: '999', email: t.adam.email, name: 'Next', organization: 'example.com' }
    google.addPerson(next)
    await t.waybill.work()
    const { id } = await t.waybill.jobs.create(t.adam.user, request)
    expect(await until(t.adam, id, 'paused')).toMatchObject({
      state: 'paused',
      reason: 'account_changed',
    })
    expect(await t.clouds.dropbox.dump()).toEqual({})
    expect((await t.waybill.connections.list(t.adam.user))[0]?.state).toBe('frozen')
    expect(await actsOf(t.ada)).toContain('account_reassigned')
  })

  it('waits for a person when the domain takes back what it had delegated', async () => {
    const request = await requestOf(t.adam)
    t.delegate('example.com', [])
    await t.waybill.work()
    const { id } = await t.waybill.jobs.create(t.adam.user, request)
    expect(await until(t.adam, id, 'paused')).toMatchObject({ reason: 'connection_expired' })
  })

  it('is nobody’s without a domain that has delegated', async () => {
    const asked = await t.call(t.olga, 'POST', '/v1/connections/delegated')
    expect(asked).toMatchObject({ status: 409, body: { error: { code: 'connection_expired' } } })
    const { status } = await t.api(t.bob, 'POST', '/v1/connections/delegated')
    expect(status).toBe(403)
  })
})

describe('an administrator', () => {
  beforeEach(() => t.connectDomain())

  it.each([
    ['a person', () => ({ user: t.adam.user })],
    ['everybody', () => ({ all: true })],
  ])('freezes %s, who cannot end it, and lets what was stopped go on', async (_whom, whom) => {
    t.clouds.drive.addFile(t.clouds.drive.addFolder('Folder'), 'a', 'a')
    const request = await requestOf(t.adam)
    const { id } = await t.waybill.jobs.create(t.adam.user, request)
    const frozen = await t.call(t.ada, 'POST', '/v1/admin/freeze', whom())
    expect(frozen).toMatchObject({ status: 200, body: { frozen: true } })
    await t.waybill.work()
    expect(await until(t.adam, id, 'paused')).toMatchObject({ state: 'paused', reason: 'frozen' })
    await t.call(t.adam, 'POST', '/v1/unfreeze')
    expect(await until(t.adam, id, 'paused')).toMatchObject({ state: 'paused', reason: 'frozen' })
    await t.call(t.ada, 'POST', '/v1/admin/unfreeze', whom())
    expect((await until(t.adam, id, 'done')).state).toBe('done')
    expect(await actsOf(t.ada)).toEqual(expect.arrayContaining(['user_frozen', 'user_unfrozen']))
  })

  it('sees who uses what in counts, and what was done by whom', async () => {
    await requestOf(t.adam)
    const { body } = await t.call(t.ada, 'GET', '/v1/admin/people')
    expect(body['people']).toEqual(
      expect.arrayContaining([
        { user: t.adam.user, address: t.adam.email, connections: 2, jobs: 0, frozen: false },
        { user: t.ada.user, address: t.ada.email, connections: 0, jobs: 0, frozen: false },
      ]),
    )
    await t.waybill.chainActs()
    const { body: log } = await t.call(t.ada, 'GET', '/v1/admin/audit')
    const whose = Object.values(log['lines'] ?? []).map((each) => JSON.stringify(each))
    expect(whose.filter((each) => each.includes(t.adam.user))).toHaveLength(2)
    // Others see their own acts, and the whole log is not theirs to take along.
    const { body: own } = await t.call(t.adam, 'GET', '/v1/audit')
    expect(JSON.stringify(own)).not.toContain('domain_connected')
    expect((await t.call(t.adam, 'GET', '/v1/audit/export')).status).toBe(403)
  })
})
