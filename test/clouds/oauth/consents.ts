/** What the next visitor of the consent page does, without seeing it. */
export interface Visit {
  /** Id or address of the person; the one that `login_hint` names, or the first one, unless given. */
  readonly as?: string
  readonly decision: 'allow' | 'deny'
  /** Scopes whose box is unticked, where the provider has boxes. */
  readonly untick?: readonly string[]
}

/** What visitors of the consent page will do. */
export interface Consents {
  /** The next visitor does this; those after it follow the line. */
  next(visit: Visit): void
  /** Every visitor without an entry in the line does this; null: they see the page. */
  always(visit: Visit | null): void
  /** Takes the next one out of the line; null when the visitor is to see the page. */
  take(): Visit | null
}

/** Every visitor sees the page. */
export function createConsents(): Consents {
  const line: Visit[] = []
  let everybody: Visit | null = null
  return {
    next: (visit) => void line.push(visit),
    always(visit) {
      everybody = visit
    },
    take: () => line.shift() ?? everybody,
  }
}
