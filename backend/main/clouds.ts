import type { TokenSource } from '../clouds/cloud.ts'
import { createDropbox } from '../clouds/dropbox/destination.ts'
import { createDriveSource } from '../clouds/google-drive/source.ts'
import { createDispatcher } from '../clouds/http.ts'
import type { Settings } from '../config.ts'

export type Clouds = ReturnType<typeof cloudsOf>

/** @returns the providers as the settings say where they are, sharing their connections. */
export function cloudsOf({ google, dropbox }: Settings) {
  const dispatcher = createDispatcher()
  return {
    source: (token: TokenSource) =>
      createDriveSource({ token, rootUrl: `${google.apiUrl}/`, dispatcher }),
    destination: (token: TokenSource) =>
      createDropbox({ token, apiUrl: dropbox.apiUrl, contentUrl: dropbox.contentUrl, dispatcher }),
  }
}
