import type { Command } from 'commander'
import { WaybillError } from '../../shared/errors.ts'
import { listenForInterrupts } from './interrupts.ts'
import { openSession } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

/** Adds `waybill serve`: works on runs and serves the API until it is told to end. */
export function addServe(program: Command, shell: Shell): void {
  program
    .command('serve')
    .description('work on jobs and serve the API, until interrupted')
    .action(async (_flags, command: Command) => {
      using interrupts = listenForInterrupts(process)
      await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>(), {
        log: true,
      })
      await session.waybill.work()
      const where = await serve(session.waybill, session.settings.port)
      shell.print(`Waybill is at work, and listens at ${where} until you press Ctrl-C.`)
      await new Promise<void>((resolve) => {
        if (interrupts.signal.aborted) resolve()
        else interrupts.signal.addEventListener('abort', () => resolve())
      })
      shell.tell('Stopping: what is under way comes to a safe point first.')
    })
}

async function serve(waybill: { serve(): Promise<string> }, port: number): Promise<string> {
  try {
    return await waybill.serve()
  } catch (cause) {
    const code =
      typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw cause
    throw new WaybillError(
      'settings_invalid',
      `Waybill cannot listen at port ${port} of that address: set HOST and PORT to a place that is free and allowed.`,
      { cause },
    )
  }
}
