import { runPath } from '../api/tasks.ts'
import type { GoogleCloudSettings } from '../config/google-cloud.ts'
import { createCloudTasksQueue } from '../dispatch/cloud-tasks.ts'
import { createFirestoreStore } from '../store/firestore.ts'
import { openFirestore } from '../store/firestore-client.ts'
import { createKmsSigner } from '../vault/kms-signer.ts'
import { createKmsWrapper } from '../vault/kms-wrapper.ts'
import type { Platform } from './platform.ts'

/**
 * Firestore, Cloud Tasks and Cloud KMS. Nothing is connected to before it is needed: a start waits for nobody, and the
 * clients of queue and keys take a third of a second to load.
 */
export function openGoogleCloud(
  settings: GoogleCloudSettings,
  { now }: { readonly now: () => number },
): Platform {
  const { project, database, keysDatabase, kmsKey, signingKey, queue, runner } = settings
  const store = createFirestoreStore({
    firestore: openFirestore({ project, database }),
    keysFirestore: openFirestore({ project, database: keysDatabase }),
    clock: now,
  })
  const closers: (() => Promise<void>)[] = []
  let tasks: ReturnType<typeof openTasks> | null = null
  const kms = {
    open: async () => openKms(settings.kmsEndpoint, closers),
    // A clock that never goes back: it measures how long nobody asks again.
    now: () => performance.now(),
  }
  return {
    store,
    queue: createCloudTasksQueue({
      client: async () => {
        tasks ??= openTasks(settings.tasksEndpoint, closers).catch((error: unknown) => {
          tasks = null
          throw error
        })
        return tasks
      },
      queue,
      url: `${runner.url}${runPath}`,
      serviceAccount: runner.account,
      audience: runner.audience,
      clock: now,
    }),
    wrapper: createKmsWrapper({ key: kmsKey, ...kms }),
    signer: createKmsSigner({ version: signingKey, ...kms }),
    deliver: null,
    close: async () => {
      // A client that never got its credentials does not close either.
      await Promise.allSettled(closers.map(async (close) => close()))
      store.close()
    },
  }
}

async function openTasks(endpoint: string | null, closers: (() => Promise<void>)[]) {
  const { CloudTasksClient } = await import('@google-cloud/tasks')
  const client = new CloudTasksClient(await connectionTo(endpoint))
  closers.push(async () => client.close())
  return client
}

async function openKms(endpoint: string | null, closers: (() => Promise<void>)[]) {
  const { KeyManagementServiceClient } = await import('@google-cloud/kms')
  const client = new KeyManagementServiceClient(await connectionTo(endpoint))
  closers.push(async () => client.close())
  return client
}

/** @returns the clients' options: Google's own endpoint, or one on this machine, in the clear and without credentials. */
async function connectionTo(endpoint: string | null) {
  if (endpoint === null) return {}
  const { credentials } = await import('@grpc/grpc-js')
  const { hostname, port } = new URL(`http://${endpoint}`)
  return { apiEndpoint: hostname, port: Number(port), sslCreds: credentials.createInsecure() }
}
