import { BlockList, isIP, isIPv4 } from 'node:net'

/** @returns whether `text` is an address, or a network like `192.0.2.0/24` or `2001:db8::/48` */
export function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined || address.includes('%')) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

/**
 * @param networks as {@link isNetwork} takes them
 * @returns whether the address is in one of them
 */
export function isWithin(address: string, networks: readonly string[]): boolean {
  const list = new BlockList()
  for (const each of networks) {
    const [start = '', bits] = each.split('/')
    const family = isIPv4(start) ? 'ipv4' : 'ipv6'
    if (bits === undefined) list.addAddress(start, family)
    else list.addSubnet(start, Number(bits), family)
  }
  const family = isIP(address)
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/**
 * @param bits how much of the address counts: people are given networks of these sizes
 * @returns the network that the address is in, in one spelling; what is no address is its own network
 */
export function networkOf(
  address: string,
  bits: { readonly v4: number; readonly v6: number },
): string {
  const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
  const family = isIP(plain)
  if (family === 0) return 'unknown'
  if (family === 4) {
    const parts = plain.split('.').map(Number)
    return `${cut(parts, 8, bits.v4).join('.')}/${bits.v4}`
  }
  const groups = groupsOf(plain)
  const kept = cut(groups, 16, bits.v6).map((group) => group.toString(16))
  return `${kept.join(':')}/${bits.v6}`
}

/** The eight groups of an IPv6 address; the URL standard brings it into one spelling first. */
function groupsOf(address: string): readonly number[] {
  const host = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  const [before = '', after] = host.split('::')
  const groups = (text: string) => text.split(':').filter((group) => group !== '')
  const [first, last] = [groups(before), groups(after ?? '')]
  const between = Array.from({ length: 8 - first.length - last.length }, () => '0')
  return [...first, ...between, ...last].map((group) => Number.parseInt(group, 16))
}

function cut(parts: readonly number[], width: number, bits: number): readonly number[] {
  return parts.map((part, place) => {
    const kept = Math.min(Math.max(bits - place * width, 0), width)
    return (part >> (width - kept)) << (width - kept)
  })
}
