import { AsyncLocalStorage } from 'node:async_hooks'

/** Which request all that happens belongs to, so that its log lines can be found together. */
export interface Tracing {
  /**
   * Runs `act` as part of a trace.
   *
   * @param traceparent as W3C Trace Context has it (https://www.w3.org/TR/trace-context/#traceparent-header), which Cloud
   *   Run adds to every request; without one, or with one that is not well-formed, there is no trace
   */
  run<T>(traceparent: string | undefined, act: () => T): T
  /** As Cloud Logging names it: https://docs.cloud.google.com/logging/docs/agent/logging/configuration#special-fields */
  current(): string | undefined
}

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/

/** @param project the Google Cloud project that traces belong to; without one they are their ids alone */
export function createTracing(project: string | null): Tracing {
  const traces = new AsyncLocalStorage<string>()
  const prefix = project === null ? '' : `projects/${project}/traces/`
  return {
    run: (traceparent, act) => {
      const id = TRACEPARENT.exec(traceparent ?? '')?.[1]
      return id === undefined ? act() : traces.run(`${prefix}${id}`, act)
    },
    current: () => traces.getStore(),
  }
}
