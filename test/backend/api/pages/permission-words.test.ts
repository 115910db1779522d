import { expect, it } from '@jest/globals'
import { permissionGroups } from '../../../../backend/api/pages/permission-words.ts'
import { askedAt } from '../../../../backend/connect/asked.ts'
import { accountProviders } from '../../../../shared/account.ts'

it('every permission that is asked for is explained, where it is asked for, and no other', () => {
  const places = ['google', ...accountProviders] as const
  expect(permissionGroups.map(({ id }) => id)).toEqual(places)
  for (const { id, permissions } of permissionGroups) {
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
