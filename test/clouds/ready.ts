import { cloudControl, providerControl, startControl } from './control.ts'
import type { ControlServer } from './control.ts'
import type { Issuer } from './issuer.ts'
import type { Clouds } from './start.ts'

/** What `main.ts --json` prints, in one line. */
export interface CloudsReady {
  readonly drive: CloudReady
  readonly dropbox: CloudReady
  readonly box: CloudReady
  readonly microsoft: CloudReady
  readonly issuer: { readonly url: string; readonly jwksUrl: string }
  /** Of the Drive's first person, for the Drive's client; good for an hour. */
  readonly idToken: string
  /** Where `remoteControl` reaches all of them. */
  readonly controlUrl: string
}

/** What a client needs to use one simulated provider. */
export interface CloudReady {
  readonly url: string
  readonly tokenUrl: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly clientId: string
  readonly clientSecret: string
}

/** What can be asked of the issuer from another process. */
export type IssuerControl = Pick<Issuer, 'mintIdToken' | 'rotate'>

/** Starts the server that other processes control `clouds` through. */
export function controlOf(clouds: Clouds): Promise<ControlServer> {
  const { drive, dropbox, box, microsoft, issuer } = clouds
  const { mintIdToken, rotate } = issuer
  return startControl({
    drive: { ...drive, ...cloudControl(drive), ...drive.serviceAccounts },
    dropbox: { ...dropbox, ...cloudControl(dropbox) },
    box: providerControl(box),
    microsoft: providerControl(microsoft),
    issuer: { mintIdToken, rotate } satisfies IssuerControl,
  })
}

/** What there is to know about `clouds` from outside. */
export async function readyOf(clouds: Clouds, controlUrl: string): Promise<CloudsReady> {
  const { drive, dropbox, box, microsoft, issuer } = clouds
  const [person] = drive.oauth.people()
  if (person === undefined) throw new Error('the Drive is nobody’s')
  const { id: sub, email, organization } = person
  return {
    drive: { url: drive.url, tokenUrl: `${drive.url}${drive.tokens.route.path}`, ...drive.account },
    dropbox: {
      url: dropbox.url,
      tokenUrl: `${dropbox.url}${dropbox.tokens.route.path}`,
      ...dropbox.account,
    },
    box: { url: box.url, tokenUrl: box.tokenUrl, ...box.account },
    microsoft: { url: microsoft.url, tokenUrl: microsoft.tokenUrl, ...microsoft.account },
    issuer: { url: issuer.url, jwksUrl: issuer.jwksUrl },
    idToken: await issuer.mintIdToken({
      sub,
      email,
      aud: drive.account.clientId,
      ...(organization === undefined ? {} : { hd: organization }),
    }),
    controlUrl,
  }
}

/** The same, for a person to read. */
export function described(ready: CloudsReady): string {
  const cloud = (name: string, one: CloudReady): readonly string[] => [
    `${name.padEnd(15)}${one.url}`,
    `  access token   ${one.accessToken}`,
    `  refresh token  ${one.refreshToken}`,
    `  client id      ${one.clientId}`,
    `  client secret  ${one.clientSecret}`,
    `  token endpoint ${one.tokenUrl}`,
  ]
  const another = JSON.stringify([{ sub: '42', email: 'b@b.example', aud: ready.drive.clientId }])
  return [
    ...cloud('Google', ready.drive),
    ...cloud('Dropbox', ready.dropbox),
    ...cloud('Box', ready.box),
    ...cloud('Microsoft', ready.microsoft),
    `OpenID issuer  ${ready.issuer.url}`,
    `  keys           ${ready.issuer.jwksUrl}`,
    `  ID token       ${ready.idToken}`,
    `  another one    curl ${ready.controlUrl}/_control/issuer/mintIdToken -d '${another}'`,
    `Control        ${ready.controlUrl}`,
    '',
  ].join('\n')
}
