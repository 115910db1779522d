import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { verifyCertificate } from '../audit/certificate.ts'
import { createAmounts } from './amounts.ts'
import { reading } from './files.ts'
import { printable } from './printable.ts'
import type { Shell } from './shell.ts'

/** Adds `waybill certificate verify`, which asks nobody. */
export function addCertificate(program: Command, shell: Shell): void {
  const certificate = program.command('certificate').description('check an erasure’s certificate')

  certificate
    .command('verify')
    .description('check the signature, and that the audit log tells of the erasure')
    .argument('<file>', 'the certificate')
    .option('--key <key>', 'the key that may sign, as you know it from elsewhere')
    .action(async (file: string, { key }: { readonly key?: string }) => {
      const text = await reading(async () => readFile(file, 'utf8'))
      const verified = verifyCertificate(text, key === undefined ? [] : [key])
      const { statement, line } = verified
      const { deleted, copies, providers, log } = statement
      const { count, date } = createAmounts(shell.locale)
      const many = Object.entries(deleted).map(([kind, n]) => `${count(n)} ${printable(kind)}`)
      shell.print(
        `The certificate holds: erasure ${printable(statement.erasure)}, over on ${date(Date.parse(statement.endedAt))}.`,
        `Deleted: ${many.join(', ')}.`,
        `The key was deleted on ${date(Date.parse(statement.keyDeletedAt))}; nothing that the store keeps opens from ${date(Date.parse(copies.unreadableFrom))} on.`,
        ...(copies.keys === 'inside'
          ? [
              'Copies of the store’s file that somebody made before have keys in them: destroy these.',
            ]
          : []),
        ...providers.pending.map(
          ({ provider, until }) =>
            `Still to be told: ${provider}, until ${date(Date.parse(until))}.`,
        ),
        ...(providers.byThePerson === 0
          ? []
          : [
              `Accounts that only the person can take the access back of: ${providers.byThePerson}.`,
            ]),
        `Act ${count(line)} of ${printable(log.origin)} tells of it, signed by`,
        `  ${printable(verified.key)}`,
      )
      if (key === undefined)
        shell.tell(
          'The key came with the certificate: compare it with one that you know from elsewhere, or give that with --key.',
        )
    })
}
