/** What a figure is compared with. */
type Reach = { readonly most: number } | { readonly least: number }

export interface FigureSpec {
  readonly name: string
  /** Of the value; empty for a plain count. */
  readonly unit: string
  readonly reach: Reach
}

export interface Measured {
  readonly value: number
  /** What the value is made of, by name, for people. */
  readonly details: Readonly<Record<string, number | string>>
}

interface MeasureOptions {
  /** Whether minutes may be spent, on the sizes that the figures' names speak of. */
  readonly full: boolean
}

/** One way to measure, which may bring several figures at once. */
export interface Measurement {
  readonly figures: readonly FigureSpec[]
  /** The figures' values in the order of `figures`. Throws when they cannot be measured. */
  measure(options: MeasureOptions): Promise<readonly Measured[]>
}

/** @returns whether the value reaches what is asked. */
export function isReached({ reach }: FigureSpec, value: number): boolean {
  return 'most' in reach ? value <= reach.most : value >= reach.least
}
