import { expect, it } from '@jest/globals'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { createLog } from '../../../backend/log.ts'
import { createMetrics } from '../../../backend/log/metrics.ts'
import { createTracing } from '../../../backend/log/tracing.ts'

/** What a collector would get of what `act` writes into a log that writes nothing. */
async function collected(act: (log: ReturnType<typeof createLog>) => void): Promise<unknown[]> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 })
  const provider = new MeterProvider({ readers: [reader] })
  const written: string[] = []
  act(
    createLog({
      write: (line) => written.push(line),
      clock: () => 0,
      level: 'silent',
      heard: createMetrics(provider.getMeter('test')),
    }),
  )
  await provider.shutdown()
  expect(written).toEqual([])
  return exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics)
    .flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => ({
        name: descriptor.name,
        attributes,
        value:
          typeof value === 'number'
            ? value
            : { count: value.count, sum: 'sum' in value ? value.sum : 0 },
      })),
    )
}

it('counts calls, slices, items, bytes and requests, though the log writes nothing', async () => {
  const metrics = await collected((log) => {
    log.debug('call', { provider: 'dropbox' })
    log.debug('call', { provider: 'dropbox' })
    log.debug('call', { provider: 'google-drive', code: 'rate_limited' })
    log.info('slice_more', { run: 'r1' })
    log.info('run_over', { run: 'r1', count: 12, bytes: 3_000 })
    log.warn('run_paused', { run: 'r2', code: 'destination_full' })
    log.info('request', { method: 'GET', route: '/v1/jobs', status: 200, ms: 250 })
  })
  expect(metrics).toEqual(
    expect.arrayContaining([
      { name: 'waybill.calls', attributes: { provider: 'dropbox' }, value: 2 },
      {
        name: 'waybill.calls',
        attributes: { provider: 'google-drive', 'error.type': 'rate_limited' },
        value: 1,
      },
      { name: 'waybill.slices', attributes: { end: 'more' }, value: 1 },
      { name: 'waybill.slices', attributes: { end: 'over' }, value: 1 },
      {
        name: 'waybill.slices',
        attributes: { end: 'paused', 'error.type': 'destination_full' },
        value: 1,
      },
      { name: 'waybill.items', attributes: {}, value: 12 },
      { name: 'waybill.bytes', attributes: {}, value: 3_000 },
      {
        name: 'http.server.request.duration',
        attributes: {
          'http.request.method': 'GET',
          'http.route': '/v1/jobs',
          'http.response.status_code': 200,
        },
        value: { count: 1, sum: 0.25 },
      },
    ]),
  )
})

it('holds nothing that the log would not write: no name, no address, no id', async () => {
  const metrics = await collected((log) => {
    const strange = { provider: 'somebody@example.com', code: 'Secret plans.txt', run: 'r1' }
    log.debug('call', JSON.parse(JSON.stringify(strange)))
    log.info('request', { method: 'GET', route: '/v1/jobs/Secret plans.txt', status: 200, ms: 1 })
  })
  expect(JSON.stringify(metrics)).not.toMatch(/secret|somebody|r1/i)
  expect(metrics).toHaveLength(2)
})

it('finds the lines of one request by its trace', async () => {
  const tracing = createTracing('my-project')
  const lines: string[] = []
  const log = createLog({
    write: (line) => lines.push(line),
    clock: () => 0,
    trace: tracing.current,
  })
  const id = '0af7651916cd43dd8448eb211c80319c'
  await tracing.run(`00-${id}-b7ad6b7169203331-01`, async () => {
    await Promise.resolve()
    log.info('inside')
  })
  log.info('outside')
  for (const wrong of [
    undefined,
    '',
    id,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    'x'.repeat(9999),
  ])
    tracing.run(wrong, () => log.info('untold'))
  const traces = lines.map((line): unknown => JSON.parse(line)['logging.googleapis.com/trace'])
  expect(traces).toEqual([`projects/my-project/traces/${id}`, ...Array(6).fill(undefined)])
})
