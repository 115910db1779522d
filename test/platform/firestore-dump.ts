import { z } from 'zod'

const page = z.object({
  documents: z.array(z.record(z.string(), z.unknown())).default([]),
  nextPageToken: z.string().optional(),
})
const ids = z.object({ collectionIds: z.array(z.string()).default([]) })
const bytesValue = z.object({ bytesValue: z.base64() })

/**
 * @param emulator host and port
 * @param database `projects/…/databases/…`
 * @returns every document of a database as the emulator's REST API gives it, and each of their bytes values, decoded
 */
export async function dumpFirestore(
  emulator: string,
  database: string,
): Promise<readonly Buffer[]> {
  const top = `http://${emulator}/v1/${database}/documents`
  const listed = ids.parse(await asked(`${top}:listCollectionIds`, 'POST'))
  const found: Buffer[] = []
  for (const collection of listed.collectionIds) {
    let token: string | undefined = ''
    while (token !== undefined) {
      const { documents, nextPageToken } = page.parse(
        await asked(`${top}/${collection}?pageSize=300&pageToken=${encodeURIComponent(token)}`),
      )
      for (const document of documents)
        found.push(Buffer.from(JSON.stringify(document)), ...bytesIn(document))
      token = nextPageToken
    }
  }
  return found
}

async function asked(url: string, method = 'GET'): Promise<unknown> {
  // Who says to be the owner is asked for no rights.
  const response = await fetch(url, { method, headers: { authorization: 'Bearer owner' } })
  if (!response.ok) throw new Error(`the emulator answers ${response.status}`)
  return response.json()
}

function bytesIn(value: unknown): readonly Buffer[] {
  if (typeof value !== 'object' || value === null) return []
  const read = bytesValue.safeParse(value)
  if (read.success) return [Buffer.from(read.data.bytesValue, 'base64')]
  return Object.values(value).flatMap(bytesIn)
}
