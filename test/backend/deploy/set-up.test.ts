import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { flagsIn, read, setUpCommands } from './deployed-files.ts'
import { does, flagOf } from './record-commands.ts'
import type { Command } from './record-commands.ts'

const first = setUpCommands(true)
const again = setUpCommands(false)
const accounts = ['waybill-api', 'waybill-runner', 'waybill-queue', 'waybill-build']

const named = (words: string): readonly string[] =>
  first.filter((command) => does(command, words)).map((command) => wordAfter(command, words))

function wordAfter(command: Command, words: string): string {
  return command[words.split(' ').length + 1] ?? ''
}

/** What an account is let do: a role, and on what. */
function grantsTo(account: string): readonly string[] {
  return first
    .filter((command) => command.includes('add-iam-policy-binding'))
    .filter(
      (command) =>
        flagOf(command, 'member') ===
        `serviceAccount:${account}@my-project.iam.gserviceaccount.com`,
    )
    .map((command) => {
      const at = command.indexOf('add-iam-policy-binding')
      return `${flagOf(command, 'role')} on ${command.slice(1, at).join(' ')} ${command[at + 1]}`
    })
    .toSorted()
}

describe('the set-up', () => {
  it('makes what is missing, and nothing twice', () => {
    const makes = (command: Command): boolean =>
      command.includes('create') || does(command, 'run deploy')
    const looks = first.filter((command) => command.includes('describe'))
    expect(looks.length).toBeGreaterThan(10)
    expect(first.filter(makes)).toHaveLength(looks.length)
    expect(again.filter(makes)).toEqual([])
  })

  it('says the same the second time, but for what it made', () => {
    const says = (commands: readonly Command[]) =>
      commands.filter((command) =>
        ['update', 'enable', 'add-iam-policy-binding'].some((word) => command.includes(word)),
      )
    expect(says(again)).toEqual(says(first))
  })

  it('takes nothing away', () => {
    const words = /^(?:delete|remove|destroy|disable|set-iam-policy)/
    expect(first.filter((command) => command.some((arg) => words.test(arg)))).toEqual([])
  })

  it('makes the databases that the indexes are for, protected, and keeps no copies of keys', () => {
    const file = z.object({ firestore: z.array(z.object({ database: z.string() })) })
    const { firestore } = file.parse(JSON.parse(read('backend/store/firebase.json')))
    const updates = first.filter((command) => does(command, 'firestore databases update'))
    expect(updates.map((command) => flagOf(command, 'database'))).toEqual(
      firestore.map(({ database }) => database),
    )
    for (const command of updates) expect(command).toContain('--delete-protection')
    // Versions of the others are kept or not as the operator said, however often this runs.
    const without = updates.filter((command) => command.includes('--no-enable-pitr'))
    expect(without.map((command) => flagOf(command, 'database'))).toEqual(['waybill-keys'])
    expect(first.flat().filter((arg) => arg === 'backups' || arg === '--enable-pitr')).toEqual([])
  })

  it('makes a key that is changed by itself', () => {
    const key = first.find((command) => does(command, 'kms keys create'))
    expect(key).toEqual(expect.arrayContaining(['--purpose=encryption', '--rotation-period=90d']))
  })

  it('makes a key that signs, which stays the same', () => {
    const key = first.find((command) => does(command, 'kms keys create heads'))
    expect(key).toEqual(
      expect.arrayContaining([
        '--purpose=asymmetric-signing',
        '--default-algorithm=ec-sign-ed25519',
      ]),
    )
    expect(key?.filter((arg) => arg.includes('rotation'))).toEqual([])
  })

  it('makes a runner that is not reached from outside', () => {
    const services = first.filter((command) => does(command, 'run deploy'))
    expect(services.map((one) => [wordAfter(one, 'run deploy'), flagOf(one, 'ingress')])).toEqual([
      ['waybill-api', 'all'],
      ['waybill-runner', 'internal'],
    ])
    expect(flagsIn('backend/deploy/api.yaml')).toContain('--ingress=all')
    expect(flagsIn('backend/deploy/runner.yaml')).toContain('--ingress=internal')
  })
})

describe('who may do what', () => {
  it('is said of accounts that the set-up makes, and of nobody else', () => {
    expect(named('iam service-accounts create')).toEqual(accounts)
    const members = first.flatMap((command) => flagOf(command, 'member') ?? [])
    expect([...new Set(members)].toSorted()).toEqual(
      accounts
        .map((name) => `serviceAccount:${name}@my-project.iam.gserviceaccount.com`)
        .toSorted(),
    )
  })

  it.each(['waybill-api', 'waybill-runner'])('lets %s do its work', (account) => {
    expect(grantsTo(account).filter((grant) => !grant.endsWith('kms keys heads'))).toEqual([
      'roles/cloudkms.cryptoKeyEncrypterDecrypter on kms keys keks',
      'roles/cloudkms.viewer on kms keys keks',
      'roles/cloudtasks.enqueuer on tasks queues waybill-runs',
      'roles/datastore.user on projects my-project',
      'roles/iam.serviceAccountUser on iam service-accounts waybill-queue@my-project.iam.gserviceaccount.com',
      'roles/secretmanager.secretAccessor on secrets waybill-dropbox-app-key',
      'roles/secretmanager.secretAccessor on secrets waybill-dropbox-app-secret',
      'roles/secretmanager.secretAccessor on secrets waybill-google-client-id',
      'roles/secretmanager.secretAccessor on secrets waybill-google-client-secret',
    ])
  })

  it('lets the queue call the runner and do nothing else', () => {
    expect(grantsTo('waybill-queue')).toEqual(['roles/run.invoker on run services waybill-runner'])
  })

  it('lets the build deploy, and neither decrypt, read secrets nor say who may do what', () => {
    const actsAs = ['waybill-api', 'waybill-queue', 'waybill-runner'].map(
      (name) => `iam service-accounts ${name}@my-project.iam.gserviceaccount.com`,
    )
    expect(grantsTo('waybill-build')).toEqual([
      'roles/artifactregistry.writer on artifacts repositories waybill',
      'roles/cloudscheduler.admin on projects my-project',
      'roles/cloudtasks.queueAdmin on tasks queues waybill-runs',
      'roles/datastore.indexAdmin on projects my-project',
      ...actsAs.map((account) => `roles/iam.serviceAccountUser on ${account}`),
      'roles/logging.logWriter on projects my-project',
      'roles/run.developer on projects my-project',
      'roles/serviceusage.serviceUsageConsumer on projects my-project',
      'roles/storage.objectViewer on storage buckets gs://my-project-waybill-source',
    ])
  })

  it('lets only the runner sign the heads of audit logs', () => {
    const may = accounts.flatMap((account) =>
      grantsTo(account)
        .filter((grant) => grant.endsWith('kms keys heads'))
        .map((grant) => `${account}: ${grant}`),
    )
    expect(may).toEqual([
      'waybill-runner: roles/cloudkms.publicKeyViewer on kms keys heads',
      'waybill-runner: roles/cloudkms.signer on kms keys heads',
    ])
  })

  it('lets only what serves decrypt', () => {
    const may = accounts.filter((account) =>
      grantsTo(account).some((grant) => grant.includes('cryptoKeyEncrypterDecrypter')),
    )
    expect(may).toEqual(['waybill-api', 'waybill-runner'])
  })
})
