/** A cloud whose calls are counted. */
export interface Counted<T> {
  readonly cloud: T
  /** How often each method was called so far. */
  readonly calls: () => Readonly<Record<string, number>>
}

/** @returns a source or destination that does the same and counts its calls by method. */
export function counted<T extends object>(cloud: T): Counted<T> {
  const counts: Record<string, number> = {}
  const proxy = new Proxy(cloud, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function' || typeof name !== 'string') return value
      return (...args: unknown[]): unknown => {
        counts[name] = (counts[name] ?? 0) + 1
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })
  return { cloud: proxy, calls: () => ({ ...counts }) }
}
