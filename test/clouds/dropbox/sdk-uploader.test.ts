import { afterEach, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { bytesUpload, uploadFile } from 'dropbox'
import { sdkFor } from './client.ts'
import { blockSize, contentHashOf } from './content-hash.ts'
import { startDropbox } from './start.ts'
import type { SimulatedDropbox } from './start.ts'

let dropbox: SimulatedDropbox

afterEach(() => dropbox.close())

describe('the uploader of the official SDK', () => {
  const bytes = randomBytes(3 * blockSize + 12_345)

  it.each([1, 4])('carries a file in several pieces, %d at a time', async (parallelUploads) => {
    dropbox = await startDropbox()
    const { metadata } = await uploadFile(
      sdkFor(dropbox),
      bytesUpload(bytes),
      { path: '/big.bin' },
      { chunkSize: blockSize, parallelUploads },
    )
    expect(metadata).toMatchObject({ size: bytes.length, content_hash: contentHashOf(bytes) })
  })

  it.each([1, 4])(
    'gets there when answers are lost and refused, %d at a time',
    async (parallel) => {
      dropbox = await startDropbox()
      const append = 'dropbox.files/upload_session/append_v2'
      for (const [nth, fault] of [
        [1, 'net.reset_before_response.applied'],
        [3, 'dropbox.5xx.applied'],
        [5, 'net.reset_before_response'],
        [6, 'net.empty_503'],
      ] as const)
        dropbox.faults.plan({ route: append, nth, fault })
      const { metadata } = await uploadFile(
        sdkFor(dropbox),
        bytesUpload(bytes),
        { path: '/big.bin' },
        { chunkSize: blockSize, parallelUploads: parallel, maxAttempts: 10, retryDelay: 1 },
      )
      expect(metadata.content_hash).toBe(contentHashOf(bytes))
      expect(dropbox.faults.injected()).toHaveLength(4)
    },
  )
})
