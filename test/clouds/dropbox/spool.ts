import { mkdtempSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Content } from '../content.ts'
import { bytesContent, fileContent, pieceSize } from '../content.ts'

/** How uploaded bytes are kept. */
export interface SpoolOptions {
  /** Bytes of one content that stay in memory; a longer one goes to a temporary file. */
  readonly inMemory: number
  /** False: uploaded bytes are dropped once they are hashed, and can never be read back. */
  readonly keepContent: boolean
}

/** Keeps the bytes of uploads: the small ones in memory, the others in a temporary folder. */
export interface Spool {
  /** Room for one content. */
  draft(): Draft
  /** Removes the temporary folder. */
  close(): void
}

/** The bytes of one content while they arrive. */
export interface Draft {
  /** A writer from byte `position` on. What it writes counts only once `seal` covers it. */
  writer(position: number): DraftWriter
  /** The first `size` bytes, which all were written. */
  seal(size: number): Content
  /** Gives the room back. */
  discard(): Promise<void>
}

/** Writes pieces one after another. */
interface DraftWriter {
  /** Takes the next bytes; a promise when the disk is behind. The buffer must not change later. */
  push(bytes: Buffer): Promise<void> | undefined
  /** Waits until everything is written. To be called also after a failure. */
  end(): Promise<void>
}

interface Part {
  readonly at: number
  readonly bytes: Buffer
}

/** A spool with nothing in it; the temporary folder is made when it is first needed. */
export function createSpool(options: SpoolOptions): Spool {
  let folder: string | null = null
  let files = 0

  return {
    draft() {
      if (!options.keepContent) return droppedDraft
      return createDraft(options.inMemory, () => {
        folder ??= mkdtempSync(join(tmpdir(), 'waybill-dropbox-'))
        return join(folder, `${++files}`)
      })
    },
    close() {
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
      folder = null
    },
  }
}

function createDraft(inMemory: number, newPath: () => string): Draft {
  let parts: Part[] = []
  let path: string | null = null
  let spilled: Promise<void> | null = null

  /** Moves what is in memory to the file. Further pieces, of all writers, wait for it. */
  async function spill(target: string): Promise<void> {
    const own = parts
    parts = []
    const handle = await open(target, 'w')
    try {
      for (const part of own) await handle.write(part.bytes, 0, part.bytes.length, part.at)
    } finally {
      await handle.close()
    }
  }

  return {
    writer(position) {
      let file: Promise<FileHandle> | null = null
      let waiting: Buffer[] = []
      let waitingBytes = 0
      let at = position
      let writing: Promise<void> = Promise.resolve()
      let failed: Error | null = null

      /** Hands what waits to the disk; the next piece may be taken meanwhile. */
      const flush = async (): Promise<void> => {
        const buffers = waiting
        const start = at - waitingBytes
        waiting = []
        waitingBytes = 0
        await spilled
        await writing
        if (failed !== null) throw failed
        writing = (async () => {
          const handle = await (file ??= open(path!, 'r+'))
          await handle.writev(buffers, start)
        })().catch((error: unknown) => {
          failed = error instanceof Error ? error : new Error('the spool failed')
        })
      }

      return {
        push(bytes) {
          at += bytes.length
          if (path === null && at <= inMemory) {
            parts.push({ at: at - bytes.length, bytes })
            return undefined
          }
          waiting.push(bytes)
          waitingBytes += bytes.length
          if (path === null) {
            path = newPath()
            spilled = spill(path)
          }
          return waitingBytes >= pieceSize ? flush() : undefined
        },
        async end() {
          if (waitingBytes > 0) await flush()
          await writing
          if (file !== null) await (await file).close()
          if (failed !== null) throw failed
        },
      }
    },
    seal: (size) => (path === null ? bytesContent(joined(parts, size)) : fileContent(path, size)),
    async discard() {
      parts = []
      if (path !== null) await rm(path, { force: true })
    },
  }
}

/** The first `size` bytes of parts; where two overlap, the later one was written again on purpose. */
function joined(parts: readonly Part[], size: number): Buffer {
  const only = parts[0]
  if (parts.length === 1 && only?.at === 0 && only.bytes.length === size) return only.bytes
  const whole = Buffer.alloc(size)
  for (const part of parts) if (part.at < size) part.bytes.copy(whole, part.at)
  return whole
}

const droppedDraft: Draft = {
  writer: () => ({ push: () => undefined, end: async () => {} }),
  seal: (size) => ({ size, pieces: noBytes, hash: async () => noBytes() }),
  discard: async () => {},
}

function noBytes(): never {
  throw new Error('this simulated Dropbox was started with keepContent: false')
}
