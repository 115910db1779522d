#!/usr/bin/env node
import './cli/heap.ts'
import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { addApiKey } from './cli/api-key.ts'
import { addAudit } from './cli/audit.ts'
import { addCertificate } from './cli/certificate.ts'
import { addConnect } from './cli/connect.ts'
import { addConnections } from './cli/connections.ts'
import { addCopy } from './cli/copy.ts'
import { addDisconnect } from './cli/disconnect.ts'
import { failureOf, failureText } from './cli/failure.ts'
import { fileDescriptor } from './cli/flags.ts'
import { addFreeze } from './cli/freeze.ts'
import { addKeys } from './cli/keys.ts'
import { addJobs } from './cli/jobs.ts'
import { addMe } from './cli/me.ts'
import { addPauseAndCancel } from './cli/pause-and-cancel.ts'
import { addReceipt } from './cli/receipt.ts'
import { addResume } from './cli/resume.ts'
import { addSchedule } from './cli/schedule.ts'
import { addServe } from './cli/serve.ts'
import { createShell } from './cli/shell.ts'
import type { Shell } from './cli/shell.ts'
import { addWallet } from './cli/wallet.ts'

const examples = `
Examples:
  $ waybill wallet create
  $ waybill connect google-drive
  $ waybill connect dropbox
  $ waybill copy --from drive --to /Backups/Drive
  $ waybill receipt show JOB --out receipt.jsonl
  $ waybill receipt verify receipt.jsonl

Settings are read from the environment and from a file .env in this directory.`

function createProgram(shell: Shell): Command {
  const about: { readonly version: string; readonly description: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  const program = new Command('waybill')
    .description(about.description)
    .version(about.version)
    .option('--store <path>', 'the file with jobs and connections (WAYBILL_STORE)')
    .option('--wallet <path>', 'the file with the keys (WAYBILL_WALLET)')
    .option('--user <sub>', 'act for a person by their Google id, as the sidebar does')
    .addOption(
      new Option('--passphrase-fd <number>', 'file descriptor to read the passphrase from')
        .argParser(fileDescriptor)
        .conflicts('passphraseFile'),
    )
    .option('--passphrase-file <path>', 'file to read the passphrase from')
    .addHelpText('after', examples)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text) => shell.tell(wrongUse(text)) })
    .exitOverride()
  addWallet(program, shell)
  addConnect(program, shell)
  addConnections(program, shell)
  addDisconnect(program, shell)
  addFreeze(program, shell)
  addCopy(program, shell)
  addSchedule(program, shell)
  addResume(program, shell)
  addJobs(program, shell)
  addPauseAndCancel(program, shell)
  addReceipt(program, shell)
  addAudit(program, shell)
  addMe(program, shell)
  addCertificate(program, shell)
  addServe(program, shell)
  addKeys(program, shell)
  addApiKey(program, shell)
  return program
}

/**
 * Commander's errors come in its own form, some with a hint in a line of its own. What was typed is not repeated where
 * it may be a token in the wrong place.
 */
function wrongUse(text: string): string {
  const words = text
    .replace(/^error: /, '')
    .replace(/^(too many arguments.*?): .*/s, '$1')
    .replaceAll(/'[^']{24,}'/g, "'…'")
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
  return failureText(/[.?)]$/.test(words) ? words : `${words}.`, 'invalid_request')
}

function loadSettingsFile(): void {
  try {
    process.loadEnvFile()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw error
  }
}

function fail(shell: Shell, thrown: unknown): void {
  // Commander has said what is wrong already, or has shown what was asked for.
  if (thrown instanceof CommanderError) {
    shell.leaveWith(thrown.exitCode === 0 ? 0 : 2)
    return
  }
  const { text, exitCode } = failureOf(thrown)
  shell.tell(text)
  shell.leaveWith(exitCode)
}

const shell = createShell(process)
process.on('uncaughtException', (error) => {
  fail(shell, error)
  process.exit()
})
// Whoever reads the output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})
try {
  loadSettingsFile()
  await createProgram(shell).parseAsync()
} catch (error) {
  fail(shell, error)
}
