/** A run's next slice. Ids only: whoever reads the queue learns nothing. */
export interface Task {
  readonly run: string
  /** The run's fencing number when this task was made. */
  readonly fence: number
}

/**
 * Hands tasks on: at least once, in any order, perhaps late, perhaps twice at the same time.
 */
export interface Queue {
  /**
   * Keeps the task until it has been handled. A name that is waiting, or that was handled within the last 24 hours,
   * is not taken again and that is a success: who needs another delivery takes another name.
   * `name` is 1 to 200 characters of `[A-Za-z0-9_-]`, or it throws `internal`. `notBefore` is in milliseconds since 1970.
   */
  enqueue(
    task: Task,
    options: { readonly name: string; readonly notBefore?: number },
  ): Promise<void>
}

/** What became of a delivery: `done` forgets the task, `again` (or anything thrown) delivers it later, with backoff. */
export type Delivery = 'done' | 'again'

export type Handler = (task: Task) => Promise<Delivery>

/** A queue that delivers inside this process. */
export interface LocalQueue extends Queue {
  /** Begins to deliver, at most `atOnce` tasks at a time. What an earlier process left undone is delivered again. */
  start(handler: Handler, atOnce: number): void
  /** Delivers nothing more and resolves when the deliveries under way have ended. */
  stop(): Promise<void>
}
