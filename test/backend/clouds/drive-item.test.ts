import { describe, expect, it } from '@jest/globals'
import { toItem as toWholeItem } from '../../../backend/clouds/google-drive/item.ts'
import { WaybillError } from '../../../shared/errors.ts'

const google = 'application/vnd.google-apps.'
const word = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'

/** A file of which only some fields matter. */
const toItem = (file: Parameters<typeof toWholeItem>[0]) =>
  toWholeItem({ id: 'some id', name: 'some name', ...file })

describe('a file of Drive’s as an item', () => {
  it('is an answer that cannot be read if it has no id or no name', () => {
    expect(() => toWholeItem({ name: 'x' })).toThrow(WaybillError)
    expect(() => toWholeItem({ id: 'x' })).toThrow(WaybillError)
  })

  it('has what Drive says of a file', () => {
    expect(
      toItem({
        id: '1a',
        name: 'a/b.jpg',
        mimeType: 'image/jpeg',
        parents: ['1p', '1q'],
        size: '5497558138880',
        md5Checksum: 'd41d8cd98f00b204e9800998ecf8427e',
        sha256Checksum: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
        version: '7',
        modifiedTime: '2026-01-02T03:04:05.678Z',
        trashed: false,
        ownedByMe: true,
        capabilities: { canDownload: true },
      }),
    ).toEqual({
      id: '1a',
      kind: 'file',
      name: 'a/b.jpg',
      parentId: '1p',
      mimeType: 'image/jpeg',
      size: 5_497_558_138_880,
      modifiedAt: '2026-01-02T03:04:05.678Z',
      version: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      hashes: {
        md5: 'd41d8cd98f00b204e9800998ecf8427e',
        sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      },
      exports: [],
      targetId: null,
      canDownload: true,
      ownedByMe: true,
      trashed: false,
      corpus: 'my-drive',
    })
  })

  it('belongs to the shared drive that it lies in, and to nobody', () => {
    const item = toItem({ id: '1', driveId: '0A', parents: ['0A'] })
    expect(item).toMatchObject({ corpus: '0A', parentId: '0A', ownedByMe: false })
  })

  it('has a time to the millisecond in UTC, however Drive writes it', () => {
    const times = ['2026-01-02T03:04:05Z', '2026-01-02T05:04:05.000+02:00'].map(
      (modifiedTime) => toItem({ modifiedTime }).modifiedAt,
    )
    expect(times).toEqual(['2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05.000Z'])
  })

  it.each([
    ['folder', 'folder'],
    ['shortcut', 'shortcut'],
    ['document', 'document'],
    ['map', 'document'],
    ['drive-sdk.123', 'document'],
  ])('of the type %s is a %s', (type, kind) => {
    expect(toItem({ mimeType: google + type }).kind).toBe(kind)
  })

  it('of a type of Google’s that has bytes is a file', () => {
    expect(toItem({ mimeType: `${google}photo`, md5Checksum: 'd4' }).kind).toBe('file')
  })

  it('has no size if it is a document, whatever Drive says', () => {
    expect(toItem({ mimeType: `${google}document`, size: '1024' }).size).toBeNull()
  })

  it('has the same version as long as it has the same bytes', () => {
    const file = {
      md5Checksum: 'd4',
      size: '1',
      version: '1',
      modifiedTime: '2026-01-02T03:04:05Z',
    }
    const touched = { ...file, name: 'other', version: '2', modifiedTime: '2026-02-02T03:04:05Z' }
    expect(toItem(touched).version).toBe(toItem(file).version)
    expect(toItem({ ...file, md5Checksum: 'd5' }).version).not.toBe(toItem(file).version)
  })

  it('has the same version if it is a document that was only looked at or shared', () => {
    const document = { mimeType: `${google}document`, modifiedTime: '2026-01-02T03:04:05Z' }
    const before = toItem({ ...document, version: '1' }).version
    expect(toItem({ ...document, version: '2' }).version).toBe(before)
  })

  describe('can be had', () => {
    const formsOf = (type: string, exportLinks?: Record<string, string>) =>
      toItem({ mimeType: google + type, ...(exportLinks === undefined ? {} : { exportLinks }) })
        .exports

    it.each([
      ['document', ['docx', 'odt', 'pdf']],
      ['spreadsheet', ['xlsx', 'ods', 'pdf']],
      ['presentation', ['pptx', 'odp', 'pdf']],
      ['drawing', ['svg', 'pdf', 'png']],
      ['script', ['json']],
      ['form', []],
      ['site', []],
      ['map', []],
      ['jam', []],
      ['vid', []],
    ])('as a %s in the forms %j', (type, extensions) => {
      expect(formsOf(type).map(({ extension }) => extension)).toEqual(extensions)
    })

    it('from where Drive says', () => {
      const url = 'https://docs.google.com/document/export?format=docx'
      expect(formsOf('document', { [word]: url })[0]).toEqual({
        mimeType: word,
        extension: 'docx',
        url,
      })
    })

    it('as a form or a whiteboard only where Drive names a place', () => {
      const links = { 'application/zip': 'https://docs.google.com/forms/export' }
      expect(formsOf('form', links)).toEqual([
        { mimeType: 'application/zip', extension: 'zip', url: links['application/zip'] },
      ])
    })
  })
})
