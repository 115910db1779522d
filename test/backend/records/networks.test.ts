import { expect, it } from '@jest/globals'
import { isNetwork, isWithin, networkOf } from '../../../backend/records/networks.ts'

it.each(['192.0.2.1', '192.0.2.0/24', '0.0.0.0/0', '2001:db8::', '2001:db8::/48', '::1/128'])(
  '%s is a network',
  (text) => expect(isNetwork(text)).toBe(true),
)

it.each([
  '',
  '/',
  '192.0.2',
  '192.0.2.0/33',
  '192.0.2.0/-1',
  '192.0.2.0/24/8',
  '192.0.2.0/',
  '::/129',
  'fe80::1%eth0',
  'example.com',
  '1.2.3.4 ',
])('%j is none', (text) => expect(isNetwork(text)).toBe(false))

it.each<[string, readonly string[], boolean]>([
  ['192.0.2.77', ['192.0.2.0/24'], true],
  ['192.0.3.77', ['192.0.2.0/24'], false],
  ['192.0.3.77', ['192.0.2.0/24', '192.0.3.77'], true],
  ['::ffff:192.0.2.77', ['192.0.2.0/24'], true],
  ['2001:db8:0:1::5', ['2001:db8::/48'], true],
  ['2001:db8:1::5', ['2001:db8::/48'], false],
  ['192.0.2.77', ['2001:db8::/48'], false],
  ['', ['0.0.0.0/0'], false],
  ['nonsense', ['::/0'], false],
])('whether %s is in %j', (address, networks, is) => {
  expect(isWithin(address, networks)).toBe(is)
})

it.each([
  ['192.0.2.77', '192.0.2.0/24'],
  ['::ffff:192.0.2.77', '192.0.2.0/24'],
  ['255.255.255.255', '255.255.255.0/24'],
  ['2001:db8:abcd:1234::1', '2001:db8:abcd:0:0:0:0:0/48'],
  ['2001:0DB8:ABCD::', '2001:db8:abcd:0:0:0:0:0/48'],
  ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:0/48'],
  ['::1', '0:0:0:0:0:0:0:0/48'],
  ['', 'unknown'],
  ['nonsense', 'unknown'],
])('the place of %j is %s', (address, network) => {
  expect(networkOf(address, { v4: 24, v6: 48 })).toBe(network)
})

it('takes no more and no less of an address than it is told', () => {
  expect(networkOf('10.11.12.13', { v4: 32, v6: 64 })).toBe('10.11.12.13/32')
  expect(networkOf('10.11.12.13', { v4: 20, v6: 64 })).toBe('10.11.0.0/20')
  expect(networkOf('2001:db8:1:2:3:4:5:6', { v4: 32, v6: 64 })).toBe('2001:db8:1:2:0:0:0:0/64')
  expect(networkOf('2001:db8:1:2ff:3::', { v4: 32, v6: 56 })).toBe('2001:db8:1:200:0:0:0:0/56')
})
