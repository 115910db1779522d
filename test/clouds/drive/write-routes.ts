import { z } from 'zod'
import type { Answer, Call, Route } from '../call.ts'
import { itemOf } from './download.ts'
import { googleRefusal } from './errors.ts'
import { checkMask, parseFieldMask } from './field-mask.ts'
import { mime } from './item.ts'
import type { Item, ItemChange } from './item.ts'
import { defaultFileFields, fileFields, renderFile } from './render-file.ts'
import type { DriveState } from './state.ts'

const metadata = z.object({
  id: z.string().optional(),
  name: z.string().optional(),
  mimeType: z.string().optional(),
  parents: z.array(z.string()).max(1).optional(),
  trashed: z.boolean().optional(),
  starred: z.boolean().optional(),
  description: z.string().optional(),
  modifiedTime: z.iso.datetime({ offset: true }).optional(),
  properties: z.record(z.string(), z.string()).optional(),
  appProperties: z.record(z.string(), z.string()).optional(),
  shortcutDetails: z.object({ targetId: z.string() }).optional(),
})

/** The operations that change metadata: create without content, update, delete. */
export function writeRoutes(state: DriveState, email: string): readonly Route[] {
  const shown = async (call: Call, item: Item): Promise<Answer> => {
    const fields = call.query.get('fields')
    const mask = fields === null ? defaultFileFields : parseFieldMask(fields)
    checkMask(mask, fileFields)
    return { json: await renderFile(item, mask, { state, email, baseUrl: call.baseUrl }) }
  }

  return [
    {
      name: 'drive.files.create',
      kind: 'write',
      method: 'POST',
      path: '/drive/v3/files',
      units: 50,
      async handle(call) {
        const { parents, shortcutDetails, modifiedTime, ...plain } = await metadataOf(call)
        if (plain.id !== undefined && state.get(plain.id) !== undefined)
          throw googleRefusal(409, 'fileIdInUse', 'A file already exists with the provided ID.')
        const parent = itemOf(call, state, parents?.[0] ?? 'root')
        const item = state.add({
          name: 'Untitled',
          ...defined(plain),
          parent: parent.id,
          ...(shortcutDetails === undefined
            ? {}
            : { targetId: shortcutDetails.targetId, mimeType: mime.shortcut }),
          ...(modifiedTime === undefined ? {} : { modifiedTime: Date.parse(modifiedTime) }),
        })
        return shown(call, item)
      },
    },
    {
      name: 'drive.files.update',
      kind: 'write',
      method: 'PATCH',
      path: '/drive/v3/files/{fileId}',
      units: 50,
      async handle(call) {
        const item = writable(call, state)
        const { modifiedTime, name, mimeType, trashed, starred, description } =
          await metadataOf(call)
        const added = call.query.get('addParents')
        const change: ItemChange = {
          ...defined({ name, mimeType, trashed, starred, description }),
          ...(added === null ? {} : { parent: itemOf(call, state, added).id }),
          ...(modifiedTime === undefined ? {} : { modifiedTime: Date.parse(modifiedTime) }),
        }
        return shown(call, state.update(item.id, change))
      },
    },
    {
      name: 'drive.files.delete',
      kind: 'write',
      method: 'DELETE',
      path: '/drive/v3/files/{fileId}',
      units: 50,
      handle(call) {
        state.remove(writable(call, state).id)
        return { status: 204 }
      },
    },
  ]
}

function writable(call: Call, state: DriveState): Item {
  const item = itemOf(call, state)
  if (item.ownedByMe || item.driveId !== null) return item
  const message = `The user does not have sufficient permissions for file ${item.id}.`
  throw googleRefusal(403, 'insufficientFilePermissions', message)
}

async function metadataOf(call: Call): Promise<z.infer<typeof metadata>> {
  const text = (await call.body(1 << 20)).toString()
  try {
    return metadata.parse(JSON.parse(text === '' ? '{}' : text))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      throw googleRefusal(400, 'badRequest', 'Bad Request')
    throw error
  }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The same without the keys that have no value. */
function defined<T extends object>(from: T): Defined<T> {
  const kept: Defined<T> = { ...from }
  for (const key in kept) if (kept[key] === undefined) delete kept[key]
  return kept
}
