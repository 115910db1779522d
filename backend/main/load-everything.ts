/**
 * Loads what the program otherwise loads only when it is first needed: the providers' and Google Cloud's libraries. For
 * whoever wants them compiled ahead.
 */
export async function loadEverything(): Promise<void> {
  await Promise.all([
    import('../main.ts'),
    import('./clouds.ts'),
    import('./in-google-cloud.ts'),
    import('@google-cloud/kms'),
    import('@google-cloud/tasks'),
    import('@grpc/grpc-js'),
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/exporter-metrics-otlp-http'),
  ])
}
