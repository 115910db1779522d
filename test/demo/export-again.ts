import { createHash } from 'node:crypto'
import type { CloudReady } from '../clouds/ready.ts'

/**
 * Asks Drive for documents once more, as the format that the copies have. The simulated Drive gives the same bytes each
 * time; the real one does not promise that.
 *
 * @param extensions ids of documents → the extension of the copy, without its dot
 * @returns ids → sha256 as hex
 */
export async function exportAgain(
  { url, accessToken }: CloudReady,
  extensions: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const headers = { authorization: `Bearer ${accessToken}` }
  const exported = [...extensions].map(async ([id, extension]): Promise<[string, string]> => {
    const asked = await fetch(`${url}/drive/v3/files/${id}?fields=exportLinks`, { headers })
    const { exportLinks = {} }: { exportLinks?: Record<string, string> } = JSON.parse(
      await asked.text(),
    )
    const link = Object.values(exportLinks).find((each) =>
      each.endsWith(`exportFormat=${extension}`),
    )
    if (link === undefined) return [id, '']
    const answer = await fetch(link, { headers })
    const hash = createHash('sha256')
    for await (const piece of answer.body ?? []) hash.update(piece)
    return [id, answer.ok ? hash.digest('hex') : '']
  })
  return new Map(await Promise.all(exported))
}
