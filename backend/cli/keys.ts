import type { Command } from 'commander'
import type { RotateProgress } from '../records/rotate-keys.ts'
import { createAmounts } from './amounts.ts'
import { listenForInterrupts } from './interrupts.ts'
import { openSession } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

/** How often a rotation says how it is doing. */
const EVERY_MS = 5_000

/** Adds `waybill keys rewrap` and `waybill keys rotate`, for whoever runs Waybill. */
export function addKeys(program: Command, shell: Shell): void {
  const keys = program
    .command('keys')
    .description('look after the keys that protect what is kept of everybody')
  keys
    .command('rewrap')
    .description('put every person’s key under the newest outer key, so that older ones can go')
    .action(async (_flags, command: Command) => rewrap(shell, command.optsWithGlobals()))
  keys
    .command('rotate')
    .description(
      'replace every person’s key, seal all that is kept anew, and forget the older keys',
    )
    .option('--anew', 'begin another rotation, also while an earlier one is not over')
    .action(async (_flags, command: Command) => rotate(shell, command.optsWithGlobals()))
}

async function rewrap(shell: Shell, flags: SharedFlags): Promise<void> {
  using interrupts = listenForInterrupts(process)
  await using session = await openSession(shell, flags)
  const { count } = createAmounts(shell.locale)
  const done = await session.waybill.rewrapKeys(interrupts.signal)
  shell.print(`${count(done.rewrapped)} put under the newest, ${count(done.left)} left.`)
  if (done.left === 0) {
    shell.print('No key is under an older one: wait some days, then the older ones can go.')
    return
  }
  shell.tell('Keep the older ones, and do this again later: what is left goes on working.')
  if (done.refused > 0)
    shell.tell(`${count(done.refused)} of them are damaged, and will be left each time.`)
  shell.leaveWith(1)
}

async function rotate(
  shell: Shell,
  flags: SharedFlags & { readonly anew?: boolean },
): Promise<void> {
  using interrupts = listenForInterrupts(process)
  await using session = await openSession(shell, flags)
  const { count } = createAmounts(shell.locale)
  const done = await session.waybill.rotateKeys(interrupts.signal, createTeller(shell), flags.anew)
  const { rotated, resealed, damaged, left, refused } = done
  shell.print(
    `${count(rotated)} replaced, ${count(resealed)} records sealed anew, ${count(left)} left.`,
  )
  if (damaged > 0)
    shell.tell(`${count(damaged)} records did not open: they were damaged before, and are lost.`)
  if (left === 0) {
    shell.print('Nothing is under an older key, and the older keys are gone.')
    return
  }
  shell.tell(
    'Do this again later: it goes on where it was, and what is left goes on working. With --anew it begins for everybody again.',
  )
  if (refused > 0) shell.tell(`${count(refused)} of them are damaged, and will be left each time.`)
  shell.leaveWith(1)
}

/** @returns what says now and then how a rotation is doing, and always that it waits. */
function createTeller(shell: Shell): (progress: RotateProgress) => void {
  const { count, moment } = createAmounts(shell.locale)
  let last = shell.now()
  return ({ rotated, resealed, waitsUntil }) => {
    const now = shell.now()
    const far = `${count(rotated)} replaced, ${count(resealed)} records sealed anew`
    if (waitsUntil !== null && waitsUntil > now)
      shell.tell(
        `${far}. Waiting until ${moment(waitsUntil, now)}: until then, something may be at work with older keys.`,
      )
    else if (now - last >= EVERY_MS) shell.tell(`${far}.`)
    else return
    last = now
  }
}
