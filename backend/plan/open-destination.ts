import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { Folder } from '../clouds/cloud.ts'
import type { Work } from './work.ts'

/**
 * @returns the folder that the job copies to, made where it is missing
 * @throws WaybillError `folder_taken` when a file is in its way or in that of a folder above it
 */
export async function openDestination({
  job,
  destination,
}: Pick<Work, 'job' | 'destination'>): Promise<Folder> {
  try {
    return await destination.openFolder(job.request.destination.folder)
  } catch (error) {
    if (!hasCode(error, 'name_taken')) throw error
    const message = 'A file lies where the folder for the copies is to be.'
    throw new WaybillError('folder_taken', message, { cause: error })
  }
}
