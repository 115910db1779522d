import { readFileSync } from 'node:fs'
import type { Answer, Call, Route } from '../call.ts'
import type { DriveState } from './state.ts'

/*
 * Google's file picker, as far as a page uses it: a script with its interface, which shows a frame with the files.
 * https://developers.google.com/workspace/drive/picker/reference/picker
 */

const script = readFileSync(new URL('picker-script.js', import.meta.url), 'utf8')

/** @param isKnown whether an access token is one that works */
export function pickerRoutes(
  state: DriveState,
  isKnown: (token: string) => boolean,
): readonly Route[] {
  return [
    {
      name: 'picker.script',
      kind: 'token',
      method: 'GET',
      path: '/js/api.js',
      handle: () => ({
        headers: { 'content-type': 'text/javascript; charset=utf-8' },
        body: script,
      }),
    },
    {
      name: 'picker.frame',
      kind: 'token',
      method: 'GET',
      path: '/picker',
      handle: (call) => frame(state, isKnown, call),
    },
  ]
}

function frame(state: DriveState, isKnown: (token: string) => boolean, { query }: Call): Answer {
  const asked = (name: string): string => query.get(name) ?? ''
  if (!isKnown(asked('token')) || asked('key') === '' || !/^\d+$/.test(asked('app')))
    return shown('<h1>The API developer key or the token is invalid.</h1>')
  const files = asked('files') === '' ? null : asked('files').split(',')
  const rows = state.items
    .filter((item) => item !== undefined)
    .filter(
      ({ id, parent, trashed }) => parent !== null && !trashed && files?.includes(id) !== false,
    )
    .filter(({ mimeType }) => !mimeType.endsWith('.folder'))
    .map(({ id, name }) => {
      const [value, text] = [escaped(id), escaped(name)]
      return `<p><label><input type="checkbox" name="file" value="${value}"> ${text}</label></p>`
    })
  return shown(`<h1>Select files (simulated)</h1>
<form>${rows.join('')}
<button type="submit">Select</button> <button type="button">Cancel</button></form>
<script>
const tell = (data) => parent.postMessage(data, ${JSON.stringify(asked('origin'))})
const form = document.querySelector('form')
form.onsubmit = (event) => {
  event.preventDefault()
  const docs = new FormData(form).getAll('file').map((id) => ({ id }))
  if (docs.length > 0) tell({ action: 'picked', docs })
}
document.querySelector('[type=button]').onclick = () => tell({ action: 'cancel' })
form.querySelector('input, button').focus()
</script>`)
}

function shown(body: string): Answer {
  return {
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: `<!doctype html><html lang="en"><title>Picker (simulated)</title>
<style>:root { color-scheme: light; font: 1rem/1.5 sans-serif; background: #fff; color: #111 }
h1 { font-size: 1.25rem } label, button { display: inline-block; padding: .4rem; overflow-wrap: anywhere }</style>
<main>${body}</main></html>`,
  }
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
