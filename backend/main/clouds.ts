import type { AccountProvider } from '../../shared/account.ts'
import { WaybillError } from '../../shared/errors.ts'
import { boxAccount } from '../clouds/box/account.ts'
import type { TokenSource } from '../clouds/cloud.ts'
import { createDropbox } from '../clouds/dropbox/destination.ts'
import { directoryUser, googleSubject } from '../clouds/google-drive/directory.ts'
import { createDriveSource } from '../clouds/google-drive/source.ts'
import { createDispatcher, createHttp } from '../clouds/http.ts'
import { microsoftAccount } from '../clouds/microsoft/account.ts'
import type { Settings } from '../config.ts'

export type Clouds = ReturnType<typeof cloudsOf>

/** @returns the providers as the settings say where they are, sharing their connections. */
export function cloudsOf({ google, dropbox, box, microsoft }: Settings) {
  const dispatcher = createDispatcher()
  const http = createHttp({ dispatcher })
  const source = (token: TokenSource) =>
    createDriveSource({ token, rootUrl: `${google.apiUrl}/`, dispatcher })
  const destination = (token: TokenSource) =>
    createDropbox({ token, apiUrl: dropbox.apiUrl, contentUrl: dropbox.contentUrl, dispatcher })
  return {
    source,
    destination,
    /** What Google says of the people of a delegated domain. */
    directory: {
      subject: async (token: string) => googleSubject(http, google.apiUrl, token),
      user: async (token: string, key: string) =>
        directoryUser(http, google.directoryUrl, token, key),
    },
    /** Whose account a token is for. */
    account: async (provider: AccountProvider, token: TokenSource) => {
      switch (provider) {
        case 'google-drive':
          return source(token).account()
        case 'dropbox':
          return destination(token).account()
        case 'box':
          return boxAccount(http, present(box).apiUrl, token)
        case 'microsoft':
          return microsoftAccount(http, present(microsoft).graphUrl, token)
        default:
          return provider satisfies never
      }
    },
  }
}

function present<T>(settings: T | null): T {
  if (settings === null)
    throw new WaybillError('settings_invalid', 'Waybill is not set up for this provider.')
  return settings
}
