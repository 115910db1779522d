import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { recordCommands, root } from './record-commands.ts'
import type { Command } from './record-commands.ts'

export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const flags = z.record(z.string().startsWith('--'), z.union([z.string(), z.number(), z.null()]))

/** @returns the flags in a file, as `--name=value` or `--name`: https://docs.cloud.google.com/sdk/gcloud/reference/topic/flags-file */
export function flagsIn(path: string): readonly string[] {
  return Object.entries(flags.parse(parse(read(path)))).map(([name, value]) =>
    value === null ? name : `${name}=${value}`,
  )
}

/** @returns the command with the flags of its `--flags-file` in the place of that. */
function withFlagsOfFile(command: Command): Command {
  const [program, ...args] = command
  const start = '--flags-file='
  return [
    program,
    ...args.flatMap((arg) => (arg.startsWith(start) ? flagsIn(arg.slice(start.length)) : [arg])),
  ]
}

/** What `cloudbuild.yaml` says, not yet checked. */
export const build: unknown = parse(read('cloudbuild.yaml'))

const scripts = z.object({ steps: z.array(z.object({ id: z.string(), script: z.string() })) })

// As Cloud Build gives them: https://docs.cloud.google.com/build/docs/configuring-builds/substitute-variable-values
const substitutions = {
  PROJECT_ID: 'my-project',
  PROJECT_NUMBER: '123456789012',
  BUILD_ID: '0b5c1f0e-1111-4222-8333-444455556666',
  _REGION: 'us-west1',
  _ENVIRONMENT: 'production',
  _PUBLIC_URL: '',
  _TRUSTED_PROXIES: '1',
  _OTLP_ENDPOINT: 'https://collector.example',
}

/**
 * @param missing whether nothing that is looked for is there yet
 * @param others substitutions that differ
 * @returns what each step of the build calls, flags of files among their flags
 */
export function buildCommands(
  missing: boolean,
  others: Partial<typeof substitutions> = {},
): readonly Command[] {
  const env = { ...substitutions, ...others }
  return scripts
    .parse(build)
    .steps.flatMap(({ script }) => recordCommands(script, { env, missing }))
    .map(withFlagsOfFile)
}

/** @returns what the set-up calls */
export function setUpCommands(missing: boolean): readonly Command[] {
  const env = { PROJECT: 'my-project', REGION: 'us-west1' }
  return recordCommands(read('backend/deploy/set-up.sh'), { env, missing })
}

/** @returns what an operator calls who follows docs/deploy.md from the top to the bottom */
export function documentedCommands(): readonly Command[] {
  const blocks = [...read('docs/deploy.md').matchAll(/^```sh\n(.*?)^```$/gms)]
  const script = ['set -euo pipefail', ...blocks.map(([, block]) => block)].join('\n')
  return recordCommands(script, { env: {}, missing: false })
}
