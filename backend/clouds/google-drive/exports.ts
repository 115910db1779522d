import type { ExportForm } from '../../../shared/item.ts'

type Form = readonly [extension: string, mimeType: string]

const pdf: Form = ['pdf', 'application/pdf']
const zip: Form = ['zip', 'application/zip']

/** Of each type, the forms worth having, the best first: one that another program can edit before a picture of it. */
// https://developers.google.com/workspace/drive/api/guides/ref-export-formats
const preferred: Readonly<Record<string, readonly Form[]>> = {
  document: [
    ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['odt', 'application/vnd.oasis.opendocument.text'],
    pdf,
  ],
  spreadsheet: [
    ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    ['ods', 'application/vnd.oasis.opendocument.spreadsheet'],
    pdf,
  ],
  presentation: [
    ['pptx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
    ['odp', 'application/vnd.oasis.opendocument.presentation'],
    pdf,
  ],
  drawing: [['svg', 'image/svg+xml'], pdf, ['png', 'image/png']],
  script: [['json', 'application/vnd.google-apps.script+json']],
}

/** What other types may be linked as. */
const linkedOnly: readonly Form[] = [pdf, zip, ['mp4', 'video/mp4']]

const googleType = 'application/vnd.google-apps.'

/**
 * @param mimeType the document's
 * @param links Drive's `exportLinks`: URLs by MIME type
 * @returns the forms it can be had in, the preferred first, each with its URL if Drive named one. The five types that
 * `files.export` knows have theirs also without a link; others (forms, sites, maps, …) only what is linked.
 */
export function exportForms(
  mimeType: string,
  links: Readonly<Record<string, string>> | null | undefined,
): readonly ExportForm[] {
  const type = mimeType.slice(googleType.length)
  const known = Object.hasOwn(preferred, type) ? preferred[type] : undefined
  const forms = known ?? linkedOnly.filter(([, form]) => links?.[form] !== undefined)
  return forms.map(([extension, form]) => {
    const url = links?.[form]
    return url === undefined ? { mimeType: form, extension } : { mimeType: form, extension, url }
  })
}

/** @returns whether this is one of Google's own types, most of which have no bytes. */
export function isGoogleType(mimeType: string): boolean {
  return mimeType.startsWith(googleType)
}
