import { readFile } from 'node:fs/promises'
import { importPKCS8, SignJWT } from 'jose'
import { z } from 'zod'
import { WaybillError } from '../../shared/errors.ts'
import type { ServiceAccount } from '../connect/delegate.ts'

const keyFile = z.looseObject({
  type: z.literal('service_account'),
  client_email: z.string(),
  client_id: z.string(),
  private_key_id: z.string(),
  private_key: z.string(),
})

/**
 * A service account by its key file, as Google's console hands it out.
 *
 * @throws WaybillError `settings_invalid` for a file that is not one
 */
export async function serviceAccountFrom(path: string): Promise<ServiceAccount> {
  const read = await readKeyFile(path)
  const key = await importPKCS8(read.private_key, 'RS256').catch((error: unknown) => {
    throw notOne(error)
  })
  return {
    email: read.client_email,
    clientId: read.client_id,
    sign: async (claims) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: read.private_key_id })
        .sign(key),
  }
}

async function readKeyFile(path: string): Promise<z.output<typeof keyFile>> {
  try {
    return keyFile.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw notOne(error)
  }
}

function notOne(cause: unknown): WaybillError {
  return new WaybillError(
    'settings_invalid',
    'WAYBILL_DELEGATION_KEY: set it to the path of a service account’s key file, in JSON',
    { cause },
  )
}
