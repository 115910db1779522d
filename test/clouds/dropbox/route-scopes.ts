/** Which scope a route asks for; the others ask for `files.content.write`. As in the SDK's documentation of each route. */
const scopes: readonly (readonly [start: string, scope: string | null])[] = [
  ['auth/', null],
  ['users/', 'account_info.read'],
  ['files/list_', 'files.metadata.read'],
  ['files/get_metadata', 'files.metadata.read'],
  ['files/download', 'files.content.read'],
]

/** The scope that a call of `route` needs, such as `files/upload`; null when any token will do. */
export function scopeOf(route: string): string | null {
  const found = scopes.find(([start]) => route.startsWith(start))
  return found === undefined ? 'files.content.write' : found[1]
}
