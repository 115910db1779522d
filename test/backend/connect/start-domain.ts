import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { delegatedScopes } from '../../../backend/connect/delegate.ts'
import { userIdOf } from '../../../backend/api/user-id.ts'
import { everythingAllowed } from '../../../shared/policy.ts'
import { startConnecting } from './start-connecting.ts'
import type { ApiAnswer, ConnectingUnderTest, Person } from './start-connecting.ts'

/** Somebody of a domain, as their ID token says. */
export interface Member extends Person {
  readonly hd: string
}

/** A Waybill with a service account, and two Workspace domains, each with an administrator and somebody else. */
export interface DomainUnderTest extends ConnectingUnderTest {
  readonly clientId: string
  /** Of example.com; the first has the Drive. */
  readonly adam: Member
  readonly ada: Member
  /** Of other.example. */
  readonly oscar: Member
  readonly olga: Member
  call(who: Member, method: string, path: string, body?: object): Promise<ApiAnswer>
  /** As the console of the domain's administrator does; all scopes unless given. */
  delegate(domain?: string, scopes?: readonly string[]): void
  /** Connects example.com, by its administrator. */
  connectDomain(): Promise<void>
}

/** A policy as it is sent, all allowed but for what is given. */
export function policyOf(parts: object): object {
  return { policy: { ...everythingAllowed, ...parts } }
}

export async function startDomain(
  options: Parameters<typeof startConnecting>[1] = {},
): Promise<DomainUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-domain-'))
  const file = join(folder, 'key.json')
  const also = { WAYBILL_DELEGATION_KEY: file, WAYBILL_WHOLE_DRIVE: 'on' }
  const t = await startConnecting(also, options)
  const { drive, issuer } = t.clouds
  const key = await drive.serviceAccounts.addServiceAccount('waybill@project.iam.example')
  // It is read when it is needed.
  writeFileSync(file, JSON.stringify(key))

  const member = (sub: string, email: string, hd: string): Member => ({
    sub,
    email,
    hd,
    user: userIdOf('https://accounts.google.com', sub),
  })
  const adam = member(drive.account.id, drive.account.email, 'example.com')
  const ada = member('201', 'ada@example.com', 'example.com')
  const oscar = member('301', 'oscar@other.example', 'other.example')
  const olga = member('302', 'olga@other.example', 'other.example')
  for (const [{ sub, email, hd }, isAdmin] of [
    [ada, true],
    [oscar, true],
    [olga, false],
  ] as const)
    drive.oauth.addPerson({ id: sub, email, name: email, organization: hd, isAdmin })

  const call: DomainUnderTest['call'] = async (who, method, path, body) => {
    const { sub, email, hd } = who
    const token = await issuer.mintIdToken({ sub, email, hd, aud: drive.account.clientId })
    const response = await fetch(`${t.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer: object = JSON.parse(await response.text())
    return { status: response.status, body: { ...answer } }
  }
  const delegate: DomainUnderTest['delegate'] = (
    domain = 'example.com',
    scopes = Object.values(delegatedScopes),
  ) => drive.serviceAccounts.delegate(domain, key.client_id, scopes)

  return {
    ...t,
    clientId: key.client_id,
    adam,
    ada,
    oscar,
    olga,
    call,
    delegate,
    connectDomain: async () => {
      delegate()
      const { status, body } = await call(ada, 'POST', '/v1/admin/delegation')
      if (body['connected'] !== true) throw new Error(`${status} ${JSON.stringify(body)}`)
    },
    close: async () => {
      await t.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
