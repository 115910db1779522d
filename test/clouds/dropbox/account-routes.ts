import type { users } from 'dropbox'
import type { Route } from '../call.ts'
import type { AccountState } from './account-state.ts'
import { rpcRoute, voidArgument } from './endpoint.ts'
import type { Dropbox } from './endpoint.ts'

/** Routes about the account and its tokens. */
export function accountRoutes(dropbox: Dropbox): readonly Route[] {
  return [
    rpcRoute(dropbox, 'users/get_current_account', 'read', voidArgument, fullAccount),
    rpcRoute(dropbox, 'users/get_space_usage', 'read', voidArgument, ({ tree, allocated }) => ({
      used: tree.used(),
      allocation: { '.tag': 'individual', allocated },
    })),
    rpcRoute(dropbox, 'auth/token/revoke', 'read', voidArgument, (_, __, call) => {
      dropbox.revoke(call)
    }),
  ]
}

function fullAccount(account: AccountState): users.FullAccount {
  const [name = 'someone'] = account.email.split('@')
  return {
    account_id: account.id,
    name: {
      given_name: name,
      surname: '',
      familiar_name: name,
      display_name: name,
      abbreviated_name: name.slice(0, 2).toUpperCase(),
    },
    email: account.email,
    email_verified: true,
    disabled: false,
    country: 'CH',
    locale: 'en',
    referral_link: 'https://www.dropbox.com/referrals/simulated',
    is_paired: false,
    account_type: { '.tag': 'basic' },
    root_info: {
      '.tag': 'user',
      root_namespace_id: account.namespace,
      home_namespace_id: account.namespace,
    },
  }
}
