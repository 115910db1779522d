import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** A program and its arguments, as the shell passed them. */
export type Command = readonly [program: string, ...args: readonly string[]]

// Separates what no argument holds: https://en.wikipedia.org/wiki/C0_and_C1_control_codes#Field_separators
const unit = '\u001F'
const record = '\u001E'

// Programs that would reach out of this machine; in their place one that writes down how it was called.
const kept = ['gcloud', 'docker', 'npm', 'npx', 'curl']
const instead = `#!/usr/bin/env bash
{ printf '%s' "\${0##*/}"; printf '${unit}%s' "$@"; printf '${record}'; } >> "$RECORD"
case " $* " in
  *' --format=value(projectNumber) '*) echo 123456789012 ;;
  *' get-value account '*) echo owner@example.com ;;
  *' describe '*) exit "$MISSING" ;;
esac
`

/**
 * Runs a shell script from the top folder with all that it does kept back.
 *
 * @param script for bash
 * @param options.env its environment, beside the `PATH`
 * @param options.missing whether nothing that the script looks for is there yet
 * @returns what it would have called, in order; throws if it fails
 */
export function recordCommands(
  script: string,
  { env, missing }: { readonly env: Readonly<Record<string, string>>; readonly missing: boolean },
): readonly Command[] {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-deploy-'))
  try {
    for (const program of kept) {
      writeFileSync(join(folder, program), instead)
      chmodSync(join(folder, program), 0o755)
    }
    const file = join(folder, 'record')
    writeFileSync(file, '')
    const { status, stderr } = spawnSync('bash', ['-c', script], {
      cwd: root,
      encoding: 'utf8',
      env: {
        ...env,
        PATH: [folder, process.env['PATH']].join(delimiter),
        RECORD: file,
        MISSING: missing ? '1' : '0',
      },
    })
    if (status !== 0) throw new Error(`the script ended with ${status}: ${stderr}`)
    return readFileSync(file, 'utf8')
      .split(record)
      .slice(0, -1)
      .map((call): Command => {
        const [program = '', ...args] = call.split(unit)
        return [program, ...args]
      })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns the value of a flag, as `--name=value` has it; undefined where it is not given */
export function flagOf(command: Command, name: string): string | undefined {
  const start = `--${name}=`
  return command.find((arg) => arg.startsWith(start))?.slice(start.length)
}

/** @returns whether these words follow each other right after the program's name */
export function does(command: Command, words: string): boolean {
  return `${command.join(' ')} `.startsWith(`gcloud ${words} `)
}
