import type { Command } from 'commander'
import type { ErasureCertificate } from '../../shared/certificate.ts'
import { createAmounts } from './amounts.ts'
import { withEnds, writeNew } from './files.ts'
import { openSession } from './session.ts'
import type { Session, SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

interface EraseFlags extends SharedFlags {
  readonly code?: string
  readonly out: string
}

/** Adds `waybill me export` and `waybill me erase`: everything that is kept about a person, to have or to be rid of. */
export function addMe(program: Command, shell: Shell): void {
  const me = program.command('me').description('get all that is kept about you, or erase it')

  me.command('export')
    .description('write all that is kept about you, opened, without tokens: one line of JSON each')
    .argument('<file>', 'a new file')
    .action(async (file: string, _flags, command: Command) => {
      await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
      await writeNew(file, withEnds(session.waybill.rights.export(session.user)))
    })

  me.command('erase')
    .description('erase all that is kept about you, and your keys: for good')
    .option('--code <code>', 'the code that this command gave you, within ten minutes')
    .option('--out <file>', 'a new file for the certificate', 'erasure-certificate.json')
    .action(async (_flags, command: Command) => {
      const { code, out, ...flags } = command.optsWithGlobals<EraseFlags>()
      await using session = await openSession(shell, flags)
      const { rights } = session.waybill
      if (code === undefined) {
        const given = await rights.eraseAsk(session.user)
        const until = createAmounts(shell.locale).date(Date.parse(given.until))
        shell.print(
          'This erases your jobs, schedules, receipts, connections and keys. Nobody can undo it. What was copied stays where it is.',
          `To do it, before ${until}: waybill me erase --code ${given.code}`,
        )
        return
      }
      const { id, secret, state } = await rights.erase(session.user, code)
      if (state === 'under_way') shell.tell('Begun: it goes on by itself, in whichever process.')
      if (session.settings.googleCloud !== null) {
        // There only the runner may sign.
        shell.print(`The certificate will be at /v1/certificates/${id}?secret=${secret}`)
        return
      }
      const certificate = await finish(session, id, secret)
      await writeNew(out, one(`${JSON.stringify(certificate)}\n`))
      shell.print(`Erased. The certificate is in ${out}: waybill certificate verify ${out}`)
    })
}

async function finish(
  { waybill }: Session,
  id: string,
  secret: string,
): Promise<ErasureCertificate> {
  for (;;) {
    await waybill.chainActs()
    await waybill.rights.proceed()
    const { certificate } = await waybill.rights.certificate(id, secret)
    if (certificate !== null) return certificate
  }
}

async function* one(text: string): AsyncGenerator<string> {
  yield text
}
