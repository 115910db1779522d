import { WaybillError } from '../../shared/errors.ts'

const fit = /^[A-Za-z0-9_-]{1,200}$/

/** Throws `internal` for a name that the queue's contract does not allow. */
export function checkTaskName(name: string): void {
  if (!fit.test(name)) throw new WaybillError('internal', "A task's name is not fit for the queue.")
}
