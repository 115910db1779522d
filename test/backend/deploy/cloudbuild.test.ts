import { describe, expect, it } from '@jest/globals'
import type { cloudbuild_v1 as google } from 'googleapis/build/src/apis/cloudbuild/v1.js'
import { z } from 'zod'
import { readSettings } from '../../../backend/config.ts'
import { tickPath } from '../../../backend/api/tasks.ts'
import { build, buildCommands, flagsIn, read } from './deployed-files.ts'
import { does, flagOf } from './record-commands.ts'

/*
 * The schema of https://docs.cloud.google.com/build/docs/build-config-file-schema, as far as it is used here. It does not
 * compile with a key that is not in Google's own types, which are made from the description of the service.
 */
const seconds = z.string().regex(/^\d+s$/)

/** Schemas for some of the keys of a type, and for no other key. */
type Part<T> = { readonly [Key in keyof T]?: z.ZodType<T[Key]> }

const step = z.strictObject({
  id: z.string(),
  name: z.string().regex(/^[\w./-]+(?::[\w.-]+)?$/, 'an image'),
  script: z.string().startsWith('#!/usr/bin/env bash\nset -euo pipefail\n'),
} satisfies Part<google.Schema$BuildStep>)

const options = z.strictObject({
  logging: z.enum(['LEGACY', 'GCS_ONLY', 'CLOUD_LOGGING_ONLY', 'NONE']),
  machineType: z.enum(['E2_MEDIUM', 'E2_HIGHCPU_8', 'E2_HIGHCPU_32']),
  automapSubstitutions: z.literal(true),
  env: z.array(z.string().regex(/^\w+=/)),
  substitutionOption: z.enum(['MUST_MATCH', 'ALLOW_LOOSE']),
} satisfies Part<google.Schema$BuildOptions>)

const file = z.strictObject({
  serviceAccount: z.string().startsWith('projects/$PROJECT_ID/serviceAccounts/waybill-build@'),
  timeout: seconds,
  substitutions: z.record(z.string().regex(/^_[A-Z0-9_]+$/), z.string()),
  options,
  steps: z.array(step).nonempty(),
} satisfies Part<google.Schema$Build>)

const commands = buildCommands(true)
const services = commands.filter((command) => does(command, 'run deploy'))
const tick = commands.find((command) => does(command, 'scheduler jobs create http')) ?? ['']

/** The environment that a service is started with: what the build sets, what comes from secrets, and the image's. */
function environmentOf(service: readonly [string, ...string[]]): Readonly<Record<string, string>> {
  const pairs = [
    ...(flagOf(service, 'update-env-vars') ?? '').split(','),
    ...(flagOf(service, 'update-secrets') ?? '').split(','),
    ...[...read('backend/Dockerfile').matchAll(/\b[A-Z_]+=\S+/g)].map(([pair]) => pair),
  ]
  return Object.fromEntries(
    pairs.map((pair): [string, string] => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

function numberIn(path: string, flag: string): number {
  const found = flagsIn(path).find((one) => one.startsWith(`--${flag}=`))
  return Number.parseFloat(found?.split('=')[1] ?? '')
}

describe('cloudbuild.yaml', () => {
  it('is a build that Cloud Build takes', () => {
    expect(file.safeParse(build).error?.issues ?? []).toEqual([])
  })

  it('checks before it builds, builds before it deploys, and deploys the runner before the API', () => {
    const ids = file.parse(build).steps.map(({ id }) => id)
    expect(ids).toEqual(['check', 'build', 'indexes', 'queue', 'services', 'tick'])
    expect(services.map((command) => command[3])).toEqual(['waybill-runner', 'waybill-api'])
  })

  it('deploys the image that it has pushed', () => {
    const pushed = commands.find(([program, verb]) => program === 'docker' && verb === 'push')?.[2]
    expect(services.map((command) => flagOf(command, 'image'))).toEqual([pushed, pushed])
  })

  it('uses the Node that development uses, in the check as in the image', () => {
    const about = z.object({ devDependencies: z.object({ node: z.string() }) })
    const { node } = about.parse(JSON.parse(read('package.json'))).devDependencies
    const images = [
      ...`${read('cloudbuild.yaml')}${read('backend/Dockerfile')}`.matchAll(
        /\bnode:(\d+\.\d+\.\d+)/g,
      ),
    ]
    expect(images.length).toBeGreaterThanOrEqual(3)
    expect([...new Set(images.map(([, version]) => version))]).toEqual([node])
  })

  it.each(services)('gives %s %s %s %s settings that it starts with', (...service) => {
    const settings = readSettings(environmentOf(service))
    expect(settings).toMatchObject({
      host: '0.0.0.0',
      environment: 'production',
      role: service[3]?.replace('waybill-', ''),
      googleCloud: {
        database: 'waybill',
        keysDatabase: 'waybill-keys',
        kmsKey: 'projects/my-project/locations/us-west1/keyRings/waybill/cryptoKeys/keks',
        queue: 'projects/my-project/locations/us-west1/queues/waybill-runs',
        runner: { account: 'waybill-queue@my-project.iam.gserviceaccount.com' },
      },
    })
    expect(flagOf(service, 'service-account')).toBe(
      `${service[3]}@my-project.iam.gserviceaccount.com`,
    )
  })

  it('sends metrics to the collector that it is told, and to nobody by itself', () => {
    const told = services.map((service) => readSettings(environmentOf(service)).metricsUrl)
    expect(told).toEqual(['https://collector.example', 'https://collector.example'])
    const { _OTLP_ENDPOINT } = file.parse(build).substitutions
    expect(_OTLP_ENDPOINT).toBe('')
    const others = buildCommands(true, { _OTLP_ENDPOINT: '' })
    const untold = others.filter((command) => does(command, 'run deploy'))
    expect(untold.map((service) => readSettings(environmentOf(service)).metricsUrl)).toEqual([
      null,
      null,
    ])
  })

  it('tells where browsers find the API, at its own address unless there is a better one', () => {
    const urlsOf = (found: typeof services) =>
      found.map((service) => readSettings(environmentOf(service)).publicUrl)
    const own = 'https://waybill-api-123456789012.us-west1.run.app'
    expect(urlsOf(services)).toEqual([own, own])
    const better = buildCommands(true, { _PUBLIC_URL: 'https://waybill.example' })
    const told = urlsOf(better.filter((command) => does(command, 'run deploy')))
    expect(told).toEqual(['https://waybill.example', 'https://waybill.example'])
  })

  it('has no secret but in Secret Manager', () => {
    for (const service of services)
      expect(flagOf(service, 'update-secrets')?.split(',')).toEqual([
        'GOOGLE_CLIENT_ID=waybill-google-client-id:latest',
        'GOOGLE_CLIENT_SECRET=waybill-google-client-secret:latest',
        'DROPBOX_APP_KEY=waybill-dropbox-app-key:latest',
        'DROPBOX_APP_SECRET=waybill-dropbox-app-secret:latest',
      ])
  })

  it('leaves settings as they are that it does not name', () => {
    const whole = /^--(?:set|clear|remove)-(?:env-vars|secrets)|^--env-vars-file/
    expect(services.flat().filter((arg) => whole.test(arg))).toEqual([])
  })

  it('has the scheduler call what the runner listens to, as whom and for whom it listens', () => {
    const runner = readSettings(environmentOf(services[0] ?? [''])).googleCloud?.runner
    expect(flagOf(tick, 'uri')).toBe(`${runner?.url}${tickPath}`)
    expect(flagOf(tick, 'oidc-service-account-email')).toBe(runner?.account)
    expect(flagOf(tick, 'oidc-token-audience')).toBe(runner?.audience)
  })

  it('updates the job of the scheduler when there is one', () => {
    const jobs = buildCommands(false).filter((command) => does(command, 'scheduler jobs'))
    expect(jobs.map((command) => command[3])).toEqual(['describe', 'update'])
  })
})

describe('the runner', () => {
  it('has room for all slices that the queue lets run, and for the tick', () => {
    const runner = 'backend/deploy/runner.yaml'
    const room = numberIn(runner, 'concurrency') * numberIn(runner, 'max-instances')
    const atOnce = numberIn('backend/deploy/queue.yaml', 'max-concurrent-dispatches')
    expect(room).toBeGreaterThanOrEqual(atOnce + 1)
  })

  it('may answer for as long as the queue waits', () => {
    expect(numberIn('backend/deploy/runner.yaml', 'timeout')).toBe(600)
  })
})
