/** What raises an alarm about a person's things. A name is part of what the log of acts tells, so one that was ever written keeps its meaning. */
export type AlarmKind =
  /** They were in a browser in a network, or a country, that was never seen of them. */
  | 'new_network'
  | 'new_country'
  /** One of their API keys came from where it was never seen. */
  | 'key_new_network'
  /** Many attempts at their account have failed. */
  | 'many_failures'
  /** Google says that somebody else has taken their account over. */
  | 'account_hijacked'
  /** Google has disabled their account. */
  | 'account_disabled'
  /** Google wants them to change their password. */
  | 'credentials_in_danger'
