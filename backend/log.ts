import { isErrorCode, type ErrorCode } from '../shared/errors.ts'
import type { AccountProvider } from '../shared/account.ts'
import type { RunPhase, RunState } from '../shared/job.ts'

const severities = ['debug', 'info', 'warn', 'error'] as const

type Severity = (typeof severities)[number]

/** The quietest setting writes nothing. */
export const logLevels = [...severities, 'silent'] as const

export type LogLevel = (typeof logLevels)[number]

/** Everything that a log line can say besides its event. What is not here cannot be logged. */
export interface LogFields {
  /** Our own ids, never a provider's. */
  readonly job?: string
  readonly run?: string
  readonly connection?: string
  readonly provider?: AccountProvider
  readonly phase?: RunPhase
  readonly state?: RunState
  readonly code?: ErrorCode
  /** Where in our own code an unknown error was thrown: `backend/run/copy.ts:12`. */
  readonly at?: string
  readonly method?: string
  /** A route's pattern, never the path that was asked for. */
  readonly route?: string
  readonly status?: number
  readonly port?: number
  readonly fence?: number
  readonly attempt?: number
  readonly count?: number
  readonly calls?: number
  readonly bytes?: number
  readonly ms?: number
  readonly ok?: boolean
}

/** `event` is a word of ours, `snake_case`. */
type Write = (event: string, fields?: LogFields) => void

export type Log = Readonly<Record<Severity, Write>>

type Check = (value: unknown) => boolean

const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value)

const id = matches(/^[A-Za-z0-9_-]{1,40}$/)
const word = matches(/^[a-z][a-z-]{0,23}$/)
const number: Check = (value) => typeof value === 'number' && Number.isFinite(value)
const event = matches(/^[a-z][a-z0-9_]{0,39}$/)

const checks: Readonly<Record<keyof LogFields, Check>> = {
  job: id,
  run: id,
  connection: id,
  provider: word,
  phase: word,
  state: word,
  code: isErrorCode,
  at: matches(/^(?:backend|shared)\/[a-z0-9/-]{1,60}\.ts:\d{1,5}$/),
  method: matches(/^[A-Z]{1,10}$/),
  route: matches(/^\/[A-Za-z0-9/:._-]{0,60}$/),
  status: number,
  port: number,
  fence: number,
  attempt: number,
  count: number,
  calls: number,
  bytes: number,
  ms: number,
  ok: (value) => typeof value === 'boolean',
}

const isKnown = (key: string): key is keyof LogFields => Object.hasOwn(checks, key)

/**
 * The only thing that writes a log. It takes known keys with short, plain values and lets nothing else through, so that
 * a name or a token that strays into a call is dropped, not written; `dropped` counts them.
 *
 * @param options.write takes one line of JSON with its line end
 * @param options.clock milliseconds since 1970
 * @param options.level what is less severe than this is not written; `info` unless given
 * @param options.trace the trace that is under way, as Cloud Logging names it
 * @param options.heard is told every event with its checked fields, also those that are not written
 */
export function createLog(options: {
  readonly write: (line: string) => void
  readonly clock: () => number
  readonly level?: LogLevel
  readonly trace?: () => string | undefined
  readonly heard?: (event: string, fields: LogFields) => void
}): Log {
  const threshold = logLevels.indexOf(options.level ?? 'info')

  function writer(severity: Severity): Write {
    const isWritten = severities.indexOf(severity) >= threshold
    if (!isWritten && options.heard === undefined) return () => undefined
    return (name, fields = {}) => {
      const checked: Record<string, unknown> = {}
      let dropped = 0
      for (const [key, value] of Object.entries(fields)) {
        if (value === undefined) continue
        if (isKnown(key) && checks[key](value)) checked[key] = value
        else dropped += 1
      }
      options.heard?.(event(name) ? name : 'unnamed', checked)
      if (!isWritten) return
      const trace = options.trace?.()
      // `severity` and `time` are the names that Cloud Logging reads. https://cloud.google.com/logging/docs/structured-logging
      const line: Record<string, unknown> = {
        time: new Date(options.clock()).toISOString(),
        severity: severity === 'warn' ? 'WARNING' : severity.toUpperCase(),
        event: event(name) ? name : 'unnamed',
        ...checked,
        ...(trace === undefined ? {} : { 'logging.googleapis.com/trace': trace }),
      }
      if (dropped > 0) line['dropped'] = dropped
      options.write(`${JSON.stringify(line)}\n`)
    }
  }

  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
  }
}
