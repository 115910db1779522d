import type { TokenSource } from '../../../backend/clouds/cloud.ts'
import { createDriveSource } from '../../../backend/clouds/google-drive/source.ts'
import { startDrive } from '../../clouds/drive/start.ts'
import { describeSource } from '../../contract/source.ts'
import type { SourceUnderTest } from '../../contract/source-under-test.ts'

async function startDriveSource(): Promise<SourceUnderTest> {
  const drive = await startDrive()
  const rejected: string[] = []
  const token: TokenSource = {
    get: () => Promise.resolve(drive.account.accessToken),
    reject: (refused) => rejected.push(refused),
  }
  return {
    source: createDriveSource({ token, rootUrl: `${drive.url}/`, idleMs: 5000 }),
    addFile: (name, bytes, folder = 'root') => drive.addFile(folder, name, bytes),
    addFolder: (name, folder = 'root') => drive.addFolder(name, folder),
    addDocument: (name) => drive.addDocument('root', name),
    addUnexportable: (name) => drive.addDocument('root', name, 0, 'map'),
    addShortcut: (name, target) => drive.addShortcut('root', name, target),
    addShared: (name, bytes) => drive.add({ name, content: bytes, sharedWithMe: true }),
    addSharedDrive: (name) => drive.addSharedDrive(name),
    rename: (id, name) => drive.update(id, { name }),
    move: (id, folder) => drive.update(id, { parent: folder }),
    write: (id, bytes) => drive.update(id, { content: bytes }),
    trash: (id) => drive.update(id, { trashed: true }),
    remove: (id) => drive.remove(id),
    forbidDownload: (id) => drive.setCanDownload(id, false),
    forgetCursors: () => drive.expirePageTokens(),
    makeIncomplete: () => drive.setIncompleteSearch(1),
    pageSize: 1000,
    refuseToken() {
      drive.tokens.expireAccessTokens()
      return () => rejected
    },
    setOffline: (offline) => drive.setOffline(offline),
    close: () => drive.close(),
  }
}

describeSource('Google Drive', startDriveSource)
