import type { Issuer } from '../clouds/issuer.ts'
import { freePort } from './free-port.ts'
import { startKms } from './kms.ts'
import type { StartedKms } from './kms.ts'
import { startTasks } from './tasks.ts'
import type { SimulatedTasks } from './tasks.ts'

/** All of Google Cloud that Waybill uses but Firestore: stand-ins in this process. */
export interface GoogleCloud {
  readonly kms: StartedKms
  readonly tasks: SimulatedTasks
  /** Full name of the queue. */
  readonly queue: string
  /** Environment variables that point a Waybill at it. */
  readonly variables: Readonly<Record<string, string>>
  close(): Promise<void>
}

const place = 'projects/waybill-test/locations/europe-west3'
const queue = `${place}/queues/runs`

/**
 * @param options.project of the Firestore emulator at `firestoreHost`, which has every database that is named
 * @param options.issuer signs what the queue sends
 */
export async function startGoogleCloud(options: {
  readonly project: string
  readonly firestoreHost: string
  readonly issuer: Issuer
}): Promise<GoogleCloud> {
  const { project, firestoreHost, issuer } = options
  const kms = await startKms()
  const tasks = await startTasks({ issuer, queues: [queue] })
  // As in backend/deploy/queue.yaml, with seconds for minutes: a worker that is killed time and again is not waited for.
  const inside = tasks.queue(queue)
  inside.settings = { ...inside.settings, maxBackoff: 1_000 }
  kms.keys.createRing(`${place}/keyRings/waybill`)
  const key = kms.keys.createKey(`${place}/keyRings/waybill`, 'keks')
  const heads = kms.keys.createKey(`${place}/keyRings/waybill`, 'heads', 'ASYMMETRIC_SIGN')
  // The runner's address is a setting of the queue's side: it has to be known before anybody listens there.
  const port = await freePort()
  return {
    kms,
    tasks,
    queue,
    variables: {
      FIRESTORE_EMULATOR_HOST: firestoreHost,
      PORT: String(port),
      WAYBILL_PLATFORM: 'google-cloud',
      GOOGLE_CLOUD_PROJECT: project,
      WAYBILL_KMS_KEY: key.name,
      WAYBILL_SIGNING_KEY: `${heads.name}/cryptoKeyVersions/1`,
      WAYBILL_KMS_ENDPOINT: `127.0.0.1:${kms.port}`,
      WAYBILL_TASKS_QUEUE: queue,
      WAYBILL_TASKS_ENDPOINT: `127.0.0.1:${tasks.port}`,
      WAYBILL_TASKS_ACCOUNT: 'queue@waybill-test.iam.gserviceaccount.com',
      PUBLIC_URL: 'https://waybill.example',
      WAYBILL_RUNNER_URL: `http://127.0.0.1:${port}`,
    },
    async close() {
      await tasks.close()
      await kms.close()
    },
  }
}
