import { readFile, writeFile } from 'node:fs/promises'

/** Resident memory of a process as Linux counts it, in bytes. https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
export interface ProcessMemory {
  /** VmRSS. */
  readonly now: number
  /** VmHWM: the most since the process began, or since `forgetPeak`. */
  readonly peak: number
}

/** @returns what a process holds. Throws where there is no `/proc`. */
export async function memoryOf(pid: number): Promise<ProcessMemory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kibibytes = (name: string): number => {
    const found = new RegExp(String.raw`^${name}:\s+(\d+) kB$`, 'm').exec(status)?.[1]
    if (found === undefined) throw new Error(`the system does not say ${name}`)
    return Number(found) * 1024
  }
  return { now: kibibytes('VmRSS'), peak: kibibytes('VmHWM') }
}

/** From now on the peak is counted anew. https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5')
}
