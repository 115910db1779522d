import type { Meter } from '@opentelemetry/api'
import type { LogFields } from '../log.ts'

/**
 * Metrics made of what the log is told, whether or not it writes that: so nothing can be in a metric that may not be in
 * the log. Names and units where there are any: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
 *
 * @returns what hears the log's events
 */
export function createMetrics(meter: Meter): (event: string, fields: LogFields) => void {
  const requests = meter.createHistogram('http.server.request.duration', { unit: 's' })
  const calls = meter.createCounter('waybill.calls', {
    description: 'Calls to providers, by how they ended',
  })
  const slices = meter.createCounter('waybill.slices', {
    description: 'Slices of runs, by how they ended',
  })
  const items = meter.createCounter('waybill.items', {
    description: 'Items that runs which are over have accounted for',
  })
  const bytes = meter.createCounter('waybill.bytes', {
    unit: 'By',
    description: 'Bytes that these runs have written',
  })
  return (event, fields) => {
    const { code, provider, method, route, status, ms, count } = fields
    const why = code === undefined ? {} : { 'error.type': code }
    if (event === 'request')
      requests.record((ms ?? 0) / 1000, {
        ...(method === undefined ? {} : { 'http.request.method': method }),
        ...(route === undefined ? {} : { 'http.route': route }),
        ...(status === undefined ? {} : { 'http.response.status_code': status }),
        ...why,
      })
    else if (event === 'call')
      calls.add(1, { ...(provider === undefined ? {} : { provider }), ...why })
    else if (event.startsWith('slice_') || event.startsWith('run_')) {
      slices.add(1, { end: event.slice(event.indexOf('_') + 1), ...why })
      if (count !== undefined) items.add(count)
      if (fields.bytes !== undefined) bytes.add(fields.bytes)
    }
  }
}
