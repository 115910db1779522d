/** A line of the export of all that is kept about a person: the header first, the end last. */
export type ExportLine =
  | {
      readonly export: {
        readonly version: 1
        /** RFC 3339 */
        readonly at: string
        /** Our id of the person. */
        readonly user: string
        readonly about: string
        /** What the lines of each kind are. */
        readonly kinds: Readonly<Record<string, string>>
        /** What is kept and not here, and why. */
        readonly leftOut: Readonly<Record<string, string>>
      }
    }
  /** `data` is null for what does not open any more, because its keys are lost. */
  | { readonly kind: string; readonly data: unknown }
  /** Without it a file is not whole. */
  | { readonly end: { readonly lines: number } }
