import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { apiKeyDays, apiKeyScopes, isApiKeyScope, scopeWords } from '../../shared/api-key.ts'
import type { ApiKeyScope, ApiKeyView } from '../../shared/api-key.ts'
import { isNetwork } from '../records/networks.ts'
import { printable } from './printable.ts'
import { openSession } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'
import { table } from './table.ts'

const mayWhat = apiKeyScopes.map((scope) => `${scope} (${scopeWords(scope)})`).join(', ')

/** Adds `waybill api-key create`, `list` and `revoke`: the keys by which a person's programs use the API. */
export function addApiKey(program: Command, shell: Shell): void {
  const group = program.command('api-key').description('manage keys of the API')
  addCreate(group, shell)
  addList(group, shell)
  group
    .command('revoke')
    .description('have a key taken no more, at once')
    .argument('<key>', 'the id of the key: `waybill api-key list` shows them')
    .action(async (id: string, _flags, command: Command) => {
      await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
      await session.waybill.apiKeys.revoke(session.user, id)
      shell.print('Revoked: it is taken no more.')
    })
}

interface CreateFlags {
  readonly name: string
  readonly scope: readonly ApiKeyScope[]
  readonly days?: number
  readonly from?: readonly string[]
}

function addCreate(group: Command, shell: Shell): void {
  group
    .command('create')
    .description('create a key, and show it once')
    .requiredOption('--name <name>', 'what it is for', plainName)
    .requiredOption('--scope <scope...>', `what it may do: ${mayWhat}`, eachScope)
    .option('--days <days>', `how long it is good, ${apiKeyDays.usual} unless told`, someDays)
    .option('--from <network...>', 'take it from these addresses or networks only', eachNetwork)
    .action(async (flags: CreateFlags, command: Command) => {
      await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
      const { name, scope, days, from } = flags
      const asked = {
        name,
        scopes: scope,
        ...(days === undefined ? {} : { days }),
        ...(from === undefined ? {} : { from }),
      }
      const { key, id, expiresAt } = await session.waybill.apiKeys.create(session.user, asked)
      shell.tell(`Key ${id}, good until ${expiresAt.slice(0, 10)}. It is not shown again:`)
      shell.print(key)
    })
}

function addList(group: Command, shell: Shell): void {
  group
    .command('list')
    .description('list the keys that are good')
    .option('--json', 'print JSON')
    .action(async ({ json }: { readonly json?: true }, command: Command) => {
      await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
      const keys = await session.waybill.apiKeys.list(session.user)
      if (json) shell.print(JSON.stringify({ keys }))
      else shell.print(...table(keys.map(rowOf)))
    })
}

function rowOf({ id, name, scopes, expiresAt, lastUsedAt }: ApiKeyView): readonly string[] {
  const used = lastUsedAt === null ? 'never used' : `used ${lastUsedAt.slice(0, 10)}`
  return [id, printable(name), scopes.join(' '), `until ${expiresAt.slice(0, 10)}`, used]
}

function plainName(text: string): string {
  if (text === '' || text.length > 100 || /\p{C}/u.test(text))
    throw new InvalidArgumentError('Give it a name of up to 100 characters.')
  return text
}

function eachScope(text: string, before: readonly ApiKeyScope[] = []): readonly ApiKeyScope[] {
  if (!isApiKeyScope(text))
    throw new InvalidArgumentError(`It is one of ${apiKeyScopes.join(', ')}.`)
  return [...before, text]
}

function eachNetwork(text: string, before: readonly string[] = []): readonly string[] {
  if (!isNetwork(text))
    throw new InvalidArgumentError('It is an address or a network, like 192.0.2.0/24.')
  return [...before, text]
}

function someDays(text: string): number {
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (days < 1 || days > apiKeyDays.most)
    throw new InvalidArgumentError(`It is a number from 1 to ${apiKeyDays.most}.`)
  return days
}
