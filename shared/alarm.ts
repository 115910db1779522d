/** What raises an alarm about a person's things, each with the words that a person is shown. */
const alarms = {
  new_network: 'a sign-in from a network that was never seen before',
  new_country: 'a sign-in from a country that was never seen before',
  key_new_network: 'an API key used from a network that was never seen before',
  many_failures: 'many attempts that failed',
  account_hijacked: 'Google says that the account was taken over by somebody else',
  account_disabled: 'Google has disabled the account',
  credentials_in_danger: 'Google wants the password to be changed',
} as const satisfies Record<string, string>

export type AlarmKind = keyof typeof alarms

/** @returns what is behind an alarm, in words. */
export function alarmWords(kind: AlarmKind): string {
  return alarms[kind]
}
