import type { Meter } from '@opentelemetry/api'

/** Metrics on their way out. */
export interface ExportedMetrics {
  readonly meter: Meter
  /** Sends what has not been sent yet. */
  close(): Promise<void>
}

const EVERY_MS = 60_000

/**
 * Sends metrics to an OpenTelemetry collector once a minute. A collector that is not there is no reason to do anything
 * differently. https://opentelemetry.io/docs/specs/otlp/#otlphttp
 *
 * @param endpoint of the collector, without a path
 */
export async function exportMetrics(endpoint: string): Promise<ExportedMetrics> {
  const [{ MeterProvider, PeriodicExportingMetricReader }, { OTLPMetricExporter }] =
    await Promise.all([
      import('@opentelemetry/sdk-metrics'),
      import('@opentelemetry/exporter-metrics-otlp-http'),
    ])
  const exporter = new OTLPMetricExporter({ url: `${endpoint}/v1/metrics` })
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: EVERY_MS })
  const provider = new MeterProvider({ readers: [reader] })
  return {
    meter: provider.getMeter('waybill'),
    close: async () => {
      await provider.shutdown().catch(() => undefined)
    },
  }
}
