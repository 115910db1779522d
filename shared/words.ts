import type { ErrorCode } from './errors.ts'

/** What a code means to a person, in two sentences: what happened, and what to do about it. */
export interface Explanation {
  readonly what: string
  readonly advice: string
}

/**
 * Names, ids and addresses have no place here: the sentences are the same for everybody, so that they may be shown and
 * logged anywhere. They fit one item as well as a list of several with the same reason.
 */
const words = {
  rate_limited: {
    what: 'The cloud asked Waybill to slow down.',
    advice: 'Waybill waits as long as it was asked to and goes on by itself.',
  },
  unavailable: {
    what: 'The cloud could not be reached or did not answer properly.',
    advice:
      'Waybill tries again by itself. If it takes long, check the internet connection of the computer it runs on.',
  },
  store_unavailable: {
    what: 'Waybill cannot reach its own notes at the moment.',
    advice:
      'Waybill goes on by itself. If it takes long, whoever runs it should look at the disk or the database that holds them.',
  },
  busy: {
    what: 'Something else is using the same data at this moment.',
    advice: 'Try again in a minute.',
  },
  damaged_in_transit: {
    what: 'Data arrived damaged, and Waybill noticed.',
    advice: 'Waybill sends it again by itself. If this keeps happening, check the network.',
  },
  incomplete_listing: {
    what: 'The cloud gave an incomplete list of the files.',
    advice: 'Waybill asks again by itself. If this keeps happening, try again in an hour.',
  },
  token_expired: {
    what: 'The sign-in has to be renewed.',
    advice: 'Waybill does that by itself. If this keeps happening, connect the account again.',
  },
  session_lost: {
    what: 'The cloud dropped an upload halfway.',
    advice: 'Waybill starts that file again by itself.',
  },

  gone: {
    what: 'Deleted before it could be copied.',
    advice: 'If you want it after all, restore it from the trash and copy again.',
  },
  download_forbidden: {
    what: 'The owner does not allow downloads.',
    advice: 'Ask the owner to allow them, then copy again.',
  },
  download_quota: {
    what: 'Downloaded too often lately, so the cloud has closed it for a while.',
    advice: 'Copy again tomorrow.',
  },
  not_exportable: {
    what: 'A kind of document that exists only inside Google, like a form, a map or a site.',
    advice: 'Nothing to do: it stays where it is.',
  },
  export_too_large: {
    what: 'Too large for Google to turn into a file.',
    advice: 'Split the document into smaller ones, or download it by hand from its File menu.',
  },
  flagged_as_abusive: {
    what: 'The cloud has marked it as harmful, so Waybill does not copy it.',
    advice: 'If it is yours and you trust it, download it by hand.',
  },
  dangling_shortcut: {
    what: 'A shortcut to something that is gone or not shared with you.',
    advice: 'Delete the shortcut, or ask for access to what it points at.',
  },
  shortcut: {
    what: 'A shortcut: it only points at something else.',
    advice: 'What it points at is copied from its own place, if that is part of the copy.',
  },
  keeps_changing: {
    what: 'Edited again and again while it was being copied.',
    advice: 'Copy again when nobody is working on it.',
  },
  damaged_at_source: {
    what: 'The cloud delivered other data than it says it has.',
    advice: 'Open the file there to see whether it is all right, then copy again.',
  },
  damaged_at_destination: {
    what: 'The copy did not come out the same as the original, so it does not count.',
    advice: 'Copy again.',
  },
  name_refused: {
    what: 'The destination does not accept the name.',
    advice: 'Give it another name, then copy again.',
  },
  folder_taken: {
    what: 'A file lies where the folder for the copies is to be.',
    advice: 'Move that file away and resume, or copy to another folder.',
  },
  name_taken: {
    what: 'Something else with the same name turned up at the destination.',
    advice: 'Copy again: Waybill then chooses another name and replaces nothing.',
  },
  too_large: {
    what: 'Larger than the destination accepts.',
    advice: 'Split it into parts, or leave it where it is.',
  },
  item_forbidden: {
    what: 'The account is not allowed to open it, or to change it at the destination.',
    advice: 'Ask its owner for access, then copy again.',
  },
  left_selection: {
    what: 'No longer among the things that this job copies.',
    advice: 'Its copy stays at the destination. Delete it there if you do not want it.',
  },

  connection_expired: {
    what: 'The sign-in to an account has run out or was withdrawn.',
    advice: 'Connect the account again, then let the job go on.',
  },
  connection_unconfirmed: {
    what: 'Nobody has confirmed yet that this is the account that is meant.',
    advice: 'Look at which account it is and confirm it, then let the job go on.',
  },
  account_changed: {
    what: 'The sign-in to an account was answered for another account, so it is not used any more.',
    advice: 'Connect the account again, look at which one it is, then let the job go on.',
  },
  frozen: {
    what: 'Everything is frozen, as its owner asked.',
    advice: 'End the freeze, and what was under way goes on.',
  },
  policy_refused: {
    what: 'The policy of your domain does not allow this.',
    advice:
      'Ask an administrator of your domain. Once the policy allows it, let the job go on; nothing that was copied is lost.',
  },
  destination_full: {
    what: 'There is no space left at the destination.',
    advice: 'Make some space there, then let the job go on.',
  },
  destination_forbidden: {
    what: 'The destination does not let Waybill write there.',
    advice: 'Check that the account may change that folder, then let the job go on.',
  },
  provider_limit: {
    what: 'A limit of the cloud is used up, such as the one for a day.',
    advice: 'Waybill goes on by itself when the cloud allows it again.',
  },
  many_changes: {
    what: 'Unusually many files have changed since the last backup, so none of their copies is replaced yet.',
    advice:
      'Look at the files first. If they are all right, let the job go on; if not, cancel the run, and the copies stay as they are.',
  },
  key_unavailable: {
    what: 'The keys that protect your data cannot be reached, so nothing of it can be opened. Nothing is lost.',
    advice:
      'Jobs go on by themselves once they can. Whoever runs Waybill should check that it has its own wallet, or may use its key in Cloud KMS.',
  },
  store_full: {
    what: 'The disk on which Waybill keeps its notes is full.',
    advice: 'Make some space there, then let the job go on.',
  },

  unauthenticated: {
    what: 'You are not signed in.',
    advice: 'Sign in again.',
  },
  forbidden: {
    what: 'You are not allowed to do this.',
    advice: 'Ask the person who set Waybill up.',
  },
  invalid_request: {
    what: 'Waybill does not understand what it was asked for.',
    advice: 'Check what you chose, then try again.',
  },
  body_too_large: {
    what: 'That was too much at once.',
    advice: 'Choose fewer things, or the folder that they are in.',
  },
  not_found: {
    what: 'There is no such thing here.',
    advice: 'Check that its id is complete and that it belongs to you.',
  },
  wrong_state: {
    what: 'That is not possible at this moment.',
    advice: 'Look at how the job is doing first.',
  },
  source_missing: {
    what: 'What should be copied is not there, or not shared with the account.',
    advice: 'Check the folder or file, then begin a new job.',
  },
  listing_restarted: {
    what: 'The cloud lost its place in the list of the files.',
    advice: 'Run the job again: what is copied already is not copied twice.',
  },
  cursor_lost: {
    what: 'The cloud no longer knows what has changed since the last run.',
    advice: 'Run the job again: what is copied already is not copied twice.',
  },
  lease_lost: {
    what: 'Another Waybill process has taken this over.',
    advice: 'Nothing to do: it goes on there.',
  },
  cancelled: {
    what: 'Cancelled.',
    advice: 'What was done until then stays as it is.',
  },
  envelope_refused: {
    what: 'What Waybill had stored does not open: it was changed, or its keys are others or gone. Your files are as they were.',
    advice:
      'Whoever runs Waybill should check that store and keys belong together. If the keys are gone, connect again and begin a new job.',
  },
  wallet_missing: {
    what: 'There is no wallet at that place.',
    advice: 'Make one with `waybill wallet create`, or say where it is with --wallet.',
  },
  wallet_exists: {
    what: 'There is a wallet already, and Waybill never replaces one.',
    advice: 'Use it, or name another place with --wallet.',
  },
  wallet_corrupt: {
    what: 'The wallet is damaged.',
    advice: 'Restore it from a backup.',
  },
  wrong_passphrase: {
    what: 'That passphrase does not open the wallet.',
    advice: 'Try again, and look out for capitals and the keyboard layout.',
  },
  passphrase_weak: {
    what: 'That passphrase is too easy to guess.',
    advice: 'Take six random words.',
  },
  store_newer: {
    what: 'The store was written by a newer version of Waybill.',
    advice: 'Start that version, or a newer one.',
  },
  store_in_use: {
    what: 'Another Waybill process is at work on the same store.',
    advice: 'Stop that one first, or name another store with --store.',
  },
  settings_invalid: {
    what: 'Waybill is not set up properly.',
    advice: 'Check its settings.',
  },
  receipt_invalid: {
    what: 'The receipt is not as Waybill wrote it.',
    advice: 'Get it again with `waybill receipt show`, and compare.',
  },
  audit_invalid: {
    what: 'The audit log is not as Waybill wrote it.',
    advice: 'Export it again with `waybill audit export`, and compare.',
  },
  internal: {
    what: 'Something went wrong inside Waybill.',
    advice:
      'Nothing that was copied is lost. Try again; if it happens again, please report it with the code and the place that are shown.',
  },
} as const satisfies Record<ErrorCode, Explanation>

/** @returns what `code` means to a person, and what to do. */
export function explain(code: ErrorCode): Explanation {
  return words[code]
}
