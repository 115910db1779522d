import { afterEach, beforeEach, expect, it, jest } from '@jest/globals'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { createMetrics } from '../../backend/log/metrics.ts'
import { createTracing } from '../../backend/log/tracing.ts'
import { leaksIn } from '../spellings.ts'
import type { UnderTest } from '../waybill-under-test.ts'
import { onBothPlatforms } from './on-both-platforms.ts'

const trace = '0af7651916cd43dd8448eb211c80319c'

onBothPlatforms('what is kept, logged and counted', (start) => {
  let t: UnderTest
  let metrics: MeterProvider
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const printed: (string | Uint8Array)[] = []

  beforeEach(async () => {
    for (const stream of [process.stdout, process.stderr])
      jest.spyOn(stream, 'write').mockImplementation((chunk) => {
        printed.push(chunk)
        return true
      })
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 600_000 })
    metrics = new MeterProvider({ readers: [reader] })
    t = await start({
      heard: createMetrics(metrics.getMeter('waybill')),
      tracing: createTracing('a-project'),
    })
  })
  afterEach(async () => {
    jest.restoreAllMocks()
    await t.close()
  })

  it('holds no name, address, token, source id or content, in whatever encoding', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Secret "Pläne" 7/2')
    const inner = drive.addFolder('Canary inside', folder)
    const file = drive.addFile(inner, 'canary-name ü.txt', 'canary-content, and more of it')
    const large = drive.addFile(
      folder,
      'canary-large',
      Buffer.alloc(12 * 1024 * 1024, 'canary-large-content '),
    )
    const failing = drive.addFile(folder, 'canary-failing.txt', 'canary-never-read')
    const says = 'canary-said about canary-failing.txt'
    const body = {
      error: {
        code: 403,
        message: says,
        errors: [{ reason: 'downloadQuotaExceeded', message: says }],
      },
    }
    drive.faults.plan({
      route: 'drive.files.download',
      path: failing,
      times: 99,
      fault: {
        id: 'test.refused-with-words',
        provider: 'google',
        routes: ['drive.*'],
        transient: false,
        act: { kind: 'answer', status: 403, body },
      },
    })
    const job = await t.copy({ kind: 'folder', id: folder }, '/Canary "folder" ö')
    expect(job.run.totals).toMatchObject({ copied: 3, failed: 1 })
    drive.update(file, { name: 'canary-renamed' })
    await t.again(job.id)
    const traceparent = `00-${trace}-b7ad6b7169203331-01`
    const asked = await fetch(`${await t.serve()}/v1/jobs/canary-asked?after=canary-asked`, {
      headers: { traceparent, authorization: 'Bearer canary-bearer' },
    })
    expect(asked.status).toBe(401)
    await metrics.shutdown()

    const secrets = [
      'Secret "Pläne" 7/2',
      'Canary inside',
      'canary-name ü.txt',
      'canary-renamed',
      'canary-content',
      'canary-large',
      'canary-failing.txt',
      'canary-never-read',
      'canary-said',
      'Canary "folder" ö',
      'canary-asked',
      'canary-bearer',
      file,
      folder,
      inner,
      large,
      failing,
      drive.account.email,
      dropbox.account.email,
      drive.account.refreshToken,
      drive.account.accessToken,
      dropbox.account.refreshToken,
      dropbox.account.accessToken,
    ]
    const kept = await t.kept()
    const told = t.logged.join('')
    const counted = JSON.stringify(exporter.getMetrics())
    // Each of the places is looked into.
    expect(kept.includes(job.id)).toBe(true)
    expect(told).toContain(`traces/${trace}`)
    expect(counted).toContain('waybill.items')
    expect({
      kept: leaksIn(kept, secrets),
      logged: leaksIn(Buffer.from(told), secrets),
      counted: leaksIn(Buffer.from(counted), secrets),
      printed: leaksIn(Buffer.concat(printed.map((chunk) => Buffer.from(chunk))), secrets),
    }).toEqual({ kept: [], logged: [], counted: [], printed: [] })
  })
})
