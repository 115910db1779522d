import { expect, it } from '@jest/globals'
import { permissionGroups } from '../../../../backend/api/pages/permission-words.ts'
import { askedAt } from '../../../../backend/connect/asked.ts'
import { delegatedScopes } from '../../../../backend/connect/delegate.ts'
import { accountProviders } from '../../../../shared/account.ts'

it('every permission that is asked for is explained, where it is asked for, and no other', () => {
  const places = ['google', ...accountProviders] as const
  const ids = permissionGroups.map(({ id }) => id)
  expect(ids.filter((id) => id !== 'domain')).toEqual(places)
  const ofDomains = permissionGroups.find(({ id }) => id === 'domain')?.permissions
  expect(ofDomains?.map(({ scope }) => scope)).toEqual(Object.values(delegatedScopes))
  for (const { id, permissions } of permissionGroups) {
    if (id === 'domain') continue
    const at = places.find((place) => place === id) ?? 'google'
    const asked = new Set(
      (['picked', 'whole'] as const).flatMap((tier) => askedAt(at, tier).scopes),
    )
    // Who the person is, is explained where they sign in with Google.
    const here = [...asked].filter((scope) => at !== 'google-drive' || scope.includes('/'))
    // Box asks for all that the application may do.
    const explained = permissions.map(({ scope }) => scope)
    expect([at, explained.toSorted()]).toEqual([
      at,
      at === 'box' ? ['root_readwrite'] : here.toSorted(),
    ])
  }
})
