import { z } from 'zod'
import { alarmResponses } from '../run/alarms.ts'
import type { AlarmResponse } from '../run/alarms.ts'

/** How an installation that others can reach is protected from them. */
export interface ProtectionSettings {
  /** How many proxies in front of it add the address of whom they answer to `X-Forwarded-For`. */
  readonly trustedProxies: number
  /** The header in which a load balancer says where a request comes from, in lower case; null if none does. */
  readonly countryHeader: string | null
  readonly alarm: AlarmResponse
  /** Whether requests are limited here. */
  readonly limits: boolean
}

/** Its settings, by the names of their variables. */
export const protectionVariables = z.object({
  WAYBILL_TRUSTED_PROXIES: z
    .string()
    .regex(/^\d$/, 'set it to how many proxies are in front of Waybill, from 0 to 9')
    .default('0')
    .transform(Number),
  WAYBILL_COUNTRY_HEADER: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,99}$/, 'set it to the name of a header')
    .toLowerCase()
    .optional(),
  WAYBILL_ALARM: z
    .enum(alarmResponses, { error: `set it to one of ${alarmResponses.join(', ')}` })
    .default('note'),
  WAYBILL_LIMITS: z.enum(['on', 'off'], { error: 'set it to one of on, off' }).default('on'),
})

/** @returns the settings that were read. */
export function protectionFrom(read: z.output<typeof protectionVariables>): ProtectionSettings {
  return {
    trustedProxies: read.WAYBILL_TRUSTED_PROXIES,
    countryHeader: read.WAYBILL_COUNTRY_HEADER ?? null,
    alarm: read.WAYBILL_ALARM,
    limits: read.WAYBILL_LIMITS === 'on',
  }
}
