/** A permission that a provider is asked for, in words. */
export interface Permission {
  /** How the provider names it. */
  readonly scope: string
  /** What it allows, why it is asked for, and what Waybill never does with it. */
  readonly allows: string
  readonly why: string
  readonly never: string
}

export interface PermissionGroup {
  readonly id: string
  readonly title: string
  readonly about: string
  readonly permissions: readonly Permission[]
}

const drive = 'https://www.googleapis.com/auth/drive'

const noPasswords = 'Waybill never sees your password, and never uses the address to write to you.'

/** Everything that Waybill ever asks to be allowed, where it asks for it. */
export const permissionGroups: readonly PermissionGroup[] = [
  {
    id: 'google',
    title: 'Signing in with Google',
    about: 'So that Waybill knows who you are, and shows your accounts and jobs to nobody else.',
    permissions: [
      {
        scope: 'openid',
        allows: 'Google tells Waybill that it is you who signs in, by a number.',
        why: 'That number is how Waybill knows what belongs to you.',
        never: 'Waybill never signs in anywhere in your name.',
      },
      {
        scope: 'email',
        allows: 'Waybill learns the address of your Google account.',
        why: 'It is shown to you, so that you see which account you are using.',
        never: noPasswords,
      },
    ],
  },
  {
    id: 'google-drive',
    title: 'Google Drive',
    about:
      'You choose one of the two when you connect a Drive. Where the operator has not allowed the whole Drive, there is only the first.',
    permissions: [
      {
        scope: `${drive}.file`,
        allows: 'Waybill may use the files that you pick for it, one by one. It sees no others.',
        why: 'To read those files and copy them to the cloud you chose.',
        never:
          'Google gives this permission only together with that of changing picked files. Waybill never changes, moves, shares or deletes any.',
      },
      {
        scope: `${drive}.readonly`,
        allows: 'Waybill may read all files and folders in the Drive. It can change nothing there.',
        why: 'To copy whole folders or the whole Drive, and to notice what has changed since.',
        never: 'Waybill never reads what is not part of a job of yours, and keeps no content.',
      },
    ],
  },
  {
    id: 'domain',
    title: 'A Workspace domain',
    about:
      'Only administrators are asked for these, once for all people of their domain, in Google’s own console.',
    permissions: [
      {
        scope: 'https://www.googleapis.com/auth/userinfo.email',
        allows: 'Google tells Waybill whose account it reads.',
        why: 'Waybill asks each time: an address may have been given to somebody else.',
        never: noPasswords,
      },
      {
        scope: 'https://www.googleapis.com/auth/admin.directory.user.readonly',
        allows: 'Waybill may look up people of the domain.',
        why: 'To know who is an administrator, and who an address belongs to.',
        never: 'Waybill never copies the directory, and changes nothing in it.',
      },
      {
        scope: `${drive}.readonly`,
        allows: 'Waybill may read the Drives of the people of the domain. It can change nothing.',
        why: 'To copy what their jobs are for, without asking each of them.',
        never: 'Waybill never reads what is not part of a job of the very person.',
      },
    ],
  },
  {
    id: 'dropbox',
    title: 'Dropbox',
    about: 'Copies go there.',
    permissions: [
      {
        scope: 'account_info.read',
        allows: 'Waybill learns the address of the account.',
        why: 'It is shown to you, so that you can confirm that it is the account you mean.',
        never: noPasswords,
      },
      {
        scope: 'files.metadata.read',
        allows: 'Waybill may see names, sizes and dates of files and folders.',
        why: 'To find what it has copied before, and names that are taken.',
        never: 'Waybill never looks beyond the folder that copies go to.',
      },
      {
        scope: 'files.content.read',
        allows: 'Waybill may read files.',
        why: 'To check its copies.',
        never: 'Waybill never reads other files than its copies.',
      },
      {
        scope: 'files.content.write',
        allows: 'Waybill may write files and folders.',
        why: 'To put your copies there.',
        never: 'Waybill never replaces or deletes what it has not written itself.',
      },
    ],
  },
  {
    id: 'box',
    title: 'Box',
    about: 'Box does not ask permission by permission: what an application may do is set for all.',
    permissions: [
      {
        scope: 'root_readwrite',
        allows: 'Waybill may read and write files and folders.',
        why: 'To put copies there and to check them.',
        never: 'Waybill never replaces or deletes what it has not written itself.',
      },
    ],
  },
  {
    id: 'microsoft',
    title: 'Microsoft OneDrive',
    about: 'Copies go there.',
    permissions: [
      {
        scope: 'openid',
        allows: 'Microsoft tells Waybill which account it is, by a number.',
        why: 'So that an answer of Microsoft is known to be about the account that you chose.',
        never: 'Waybill never signs in anywhere in your name.',
      },
      {
        scope: 'profile',
        allows: 'Waybill learns the name of the account.',
        why: 'The name that an account signs in with is part of it.',
        never: 'Waybill never keeps your picture or anything else of your profile.',
      },
      {
        scope: 'email',
        allows: 'Waybill learns the address of the account.',
        why: 'It is shown to you, so that you can confirm that it is the account you mean.',
        never: noPasswords,
      },
      {
        scope: 'offline_access',
        allows: 'Waybill may go on when you are not there.',
        why: 'Copies take longer than you want to wait, and backups run by their schedule.',
        never: 'Waybill never goes on after you have disconnected the account.',
      },
      {
        scope: 'User.Read',
        allows: 'Waybill may ask Microsoft whose account it is.',
        why: 'To show you which account you have connected.',
        never: 'Waybill never reads who you work with, your mail or your calendar.',
      },
      {
        scope: 'Files.ReadWrite',
        allows: 'Waybill may read and write your files.',
        why: 'To put copies there and to check them.',
        never: 'Waybill never replaces or deletes what it has not written itself.',
      },
    ],
  },
]
