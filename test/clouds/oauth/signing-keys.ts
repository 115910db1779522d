import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import type { JWK, JWTPayload } from 'jose'

/** The keys that an issuer signs with, RS256. They are made when they are first needed: that takes a while. */
export interface SigningKeys {
  /** Signs with the newest key, or with one that the JWK set does not have. */
  sign(payload: JWTPayload, foreignKey?: boolean): Promise<string>
  /** The public keys, oldest first. */
  publicKeys(): Promise<readonly JWK[]>
  /** From now on, tokens are signed with a new key; the JWK set has all of them. */
  rotate(): void
  /** The JWK set forgets all keys but the newest. */
  retire(): void
}

type Key = ReturnType<typeof createKey>

/** One key, not made yet. */
export function createSigningKeys(): SigningKeys {
  const made = new Map<string, Key>()
  let names = ['key-1']

  function keyOf(name: string): Key {
    let key = made.get(name)
    if (key === undefined) made.set(name, (key = createKey(name)))
    return key
  }
  const newest = (): string => names.at(-1) ?? 'key-1'

  return {
    async sign(payload, foreignKey = false) {
      const { kid, privateKey } = await keyOf(foreignKey ? 'foreign' : newest())
      return new SignJWT(payload)
        .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
        .sign(privateKey)
    },
    publicKeys: () => Promise.all(names.map(async (name) => (await keyOf(name)).publicJwk)),
    rotate() {
      names = [...names, `key-${Number(newest().slice('key-'.length)) + 1}`]
    },
    retire() {
      names = [newest()]
    },
  }
}

async function createKey(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }
  return { kid, privateKey, publicJwk }
}
