import { Firestore } from '@google-cloud/firestore'

// Milliseconds. Google's own settings go on for ten minutes, much longer than a lease.
const answerMs = 30_000
const once = { timeout_millis: answerMs, retry_codes_name: 'none' }

/*
 * The client asks again itself, five times within some ten seconds, if Firestore is away. Without this table the layer
 * below would ask three times for each of these, also after a refusal, and would send a commit again, of which only the
 * store can tell whether it has landed. The table that it changes: `firestore_client_config.json` in
 * https://github.com/googleapis/google-cloud-node/tree/main/packages/google-cloud-firestore-api
 */
const clientConfig = {
  interfaces: {
    'google.firestore.v1.Firestore': {
      retry_codes: { none: [] },
      methods: {
        BatchGetDocuments: once,
        RunQuery: once,
        Commit: once,
        Rollback: once,
      },
    },
  },
}

/**
 * @param options.project the Google Cloud project's id
 * @param options.database a Firestore database in that project, in native mode
 * @returns a client of that database, which connects at the first use. It goes to Google's emulator instead if the
 * environment has `FIRESTORE_EMULATOR_HOST`.
 */
export function openFirestore({
  project,
  database,
}: {
  readonly project: string
  readonly database: string
}): Firestore {
  return new Firestore({
    projectId: project,
    databaseId: database,
    clientConfig,
    // Otherwise streams are repeated whatever `clientConfig` says, by `retry-request`.
    gaxServerStreamingRetries: true,
  })
}
