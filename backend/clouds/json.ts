/** @returns the member `key` of a value out of JSON; undefined if it has none or is no object. */
export function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
