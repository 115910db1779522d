import type { NameRules } from '../cloud.ts'

/** What Dropbox allows as a name. https://help.dropbox.com/organize/file-names */
export const dropboxNames: NameRules = {
  forbidden: '/\\',
  forbiddenAtEnd: ' .',
  reserved: ['desktop.ini', 'thumbs.db', '.ds_store', 'icon\r', '.dropbox', '.dropbox.attr'],
  longest: 255,
  foldsCase: true,
  composes: true,
}
