/* What a page sees of Google's api.js and of the picker that it loads. */
{
  const source = new URL(document.currentScript.src)

  globalThis.gapi = {
    // As Google's: a further script, which the page's policy has to let in.
    load(name, { callback, onerror }) {
      const script = document.createElement('script')
      script.src = new URL('api.js', source).href
      script.addEventListener('load', () => callback())
      script.addEventListener('error', () => onerror())
      if (name === 'picker') document.head.append(script)
    },
  }

  class DocsView {
    files = ''
    setIncludeFolders() {
      return this
    }
    setSelectFolderEnabled() {
      return this
    }
    setFileIds(files) {
      this.files = files
      return this
    }
  }

  class PickerBuilder {
    asked = new URLSearchParams()
    addView({ files }) {
      this.asked.set('files', files)
      return this
    }
    enableFeature() {
      return this
    }
    setMaxItems() {
      return this
    }
    setAppId(app) {
      this.asked.set('app', app)
      return this
    }
    setDeveloperKey(key) {
      this.asked.set('key', key)
      return this
    }
    setOAuthToken(token) {
      this.asked.set('token', token)
      return this
    }
    setOrigin(origin) {
      this.asked.set('origin', origin)
      return this
    }
    setCallback(callback) {
      this.callback = callback
      return this
    }
    build() {
      return {
        setVisible: () => {
          const frame = document.createElement('iframe')
          frame.title = 'Google’s file picker'
          frame.src = new URL(`/picker?${this.asked}`, source).href
          frame.style.cssText =
            'position: fixed; inset: 5% 2%; width: 96%; height: 90%; border: 2px solid; background: #fff'
          const hear = ({ origin, data }) => {
            if (origin !== source.origin) return
            removeEventListener('message', hear)
            frame.remove()
            this.callback(data)
          }
          addEventListener('message', hear)
          document.body.append(frame)
          frame.addEventListener('load', () => frame.focus())
        },
      }
    }
  }

  globalThis.google = {
    picker: {
      DocsView,
      PickerBuilder,
      ViewId: { DOCS: 'all' },
      Feature: { MULTISELECT_ENABLED: 'multiselectEnabled' },
      Action: { PICKED: 'picked', CANCEL: 'cancel' },
    },
  }
}
