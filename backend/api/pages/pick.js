/* global gapi, google */

/*
 * Opens Google's file picker and posts what was picked. The only script of Waybill's pages.
 * https://developers.google.com/workspace/drive/picker/reference/picker
 */

const form = document.querySelector('form[data-token]')
const button = form.querySelector('button')
const status = document.querySelector('[role=status]')

function tell(text) {
  status.textContent = text
}

function picked({ action, docs = [] }) {
  if (action === google.picker.Action.CANCEL) {
    tell('Nothing was picked.')
    button.focus()
  }
  if (action !== google.picker.Action.PICKED) return
  form.elements.ids.value = docs.map(({ id }) => id).join(',')
  tell('Telling Waybill…')
  form.submit()
}

function open() {
  const { token, key, app, files } = form.dataset
  const view = new google.picker.DocsView(google.picker.ViewId.DOCS)
  if (files === '') view.setIncludeFolders(true).setSelectFolderEnabled(false)
  else view.setFileIds(files)
  new google.picker.PickerBuilder()
    .addView(view)
    .enableFeature(google.picker.Feature.MULTISELECT_ENABLED)
    .setMaxItems(1000)
    .setAppId(app)
    .setDeveloperKey(key)
    .setOAuthToken(token)
    .setOrigin(location.origin)
    .setCallback(picked)
    .build()
    .setVisible(true)
}

const unreachable =
  'Google’s file picker could not be loaded. Check your connection, and whether something blocks scripts of Google.'

if (typeof gapi === 'undefined') tell(unreachable)
else
  gapi.load('picker', {
    callback: () => {
      button.disabled = false
      tell('')
    },
    onerror: () => tell(unreachable),
  })
// A press of Enter is a click too.
button.addEventListener('click', (event) => {
  event.preventDefault()
  tell('')
  open()
})
