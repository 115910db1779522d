import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { status } from '@grpc/grpc-js'

export type VersionState = 'ENABLED' | 'DISABLED' | 'DESTROY_SCHEDULED' | 'DESTROYED'

/** A version of a key, as its client sees it. */
export interface Version {
  readonly name: string
  readonly state: VersionState
  readonly destroyTime: { readonly seconds: string; readonly nanos: number } | null
}

export interface Key {
  readonly name: string
  readonly purpose: Purpose
  readonly primary: Version | null
}

/** A signing key is always of the algorithm EC_SIGN_ED25519. */
export type Purpose = 'ENCRYPT_DECRYPT' | 'ASYMMETRIC_SIGN'

/** What Cloud KMS answers instead of doing as it was asked. */
export class Refusal extends Error {
  readonly code: status
  constructor(code: status, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * The keys that the stand-in holds: key rings, keys, versions and their states.
 *
 * ```
 *   ENABLED ◄──► DISABLED ◄── restore ── DESTROY_SCHEDULED ── 30 days ──► DESTROYED
 *      └────────────┴────── destroy ─────────────▲
 * ```
 *
 * https://cloud.google.com/kms/docs/key-states
 */
export interface Keys {
  createRing(name: string): void
  /** Makes a key with version 1, which is its primary if it encrypts, as it does unless told. */
  createKey(ring: string, id: string, purpose?: Purpose): Key
  getKey(name: string): Key
  /** Makes a version that nothing uses yet. */
  createVersion(key: string): Version
  getVersion(name: string): Version
  listVersions(key: string): readonly Version[]
  setPrimary(key: string, id: string): Key
  setState(version: string, state: string): Version
  destroy(version: string): Version
  restore(version: string): Version
  /** Encrypts under a key's primary version, or under the very version named; returns the version used. */
  encrypt(name: string, plaintext: Uint8Array, aad: Uint8Array): { used: string; sealed: Buffer }
  /** Signs with the very version named. */
  sign(version: string, data: Uint8Array): Buffer
  /** @returns the public key of a version, as PEM */
  publicKey(version: string): string
  decrypt(key: string, sealed: Uint8Array, aad: Uint8Array): { primary: boolean; plaintext: Buffer }
}

interface HeldVersion {
  readonly name: string
  /** Names the version inside of what it encrypted. */
  readonly mark: Buffer
  secret: Buffer | null
  signing: KeyObject | null
  state: VersionState
  destroyAt: number | null
}

interface HeldKey {
  readonly name: string
  readonly purpose: Purpose
  readonly versions: HeldVersion[]
  primary: HeldVersion | null
}

const RING = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[\w-]{1,63}$/
const DESTROY_AFTER_MS = 30 * 86_400_000
const [MARK_BYTES, IV_BYTES, TAG_BYTES] = [16, 12, 16]

/** @param now milliseconds since 1970, for the days between scheduling a destruction and the destruction itself */
export function createKeys(now: () => number): Keys {
  const rings = new Set<string>()
  const keys = new Map<string, HeldKey>()

  const keyCalled = (name: string): HeldKey =>
    keys.get(name) ?? refuse(status.NOT_FOUND, `CryptoKey ${name} not found.`)

  const versionCalled = (name: string): HeldVersion => {
    const [key = ''] = name.split('/cryptoKeyVersions/')
    const found = keyCalled(key).versions.find((each) => each.name === name)
    return atThisTime(found ?? refuse(status.NOT_FOUND, `CryptoKeyVersion ${name} not found.`))
  }

  const atThisTime = (version: HeldVersion): HeldVersion => {
    if (version.state === 'DESTROY_SCHEDULED' && now() >= (version.destroyAt ?? Infinity)) {
      version.state = 'DESTROYED'
      version.secret = null
      version.signing = null
    }
    return version
  }

  const addVersion = (key: HeldKey): HeldVersion => {
    const made: HeldVersion = {
      name: `${key.name}/cryptoKeyVersions/${key.versions.length + 1}`,
      mark: randomBytes(MARK_BYTES),
      secret: randomBytes(32),
      signing: key.purpose === 'ASYMMETRIC_SIGN' ? generateKeyPairSync('ed25519').privateKey : null,
      state: 'ENABLED',
      destroyAt: null,
    }
    key.versions.push(made)
    return made
  }

  const secretOf = (version: HeldVersion): Buffer => {
    const { name, state, secret } = atThisTime(version)
    if (state === 'ENABLED' && secret !== null) return secret
    return refuse(status.FAILED_PRECONDITION, `${name} is not enabled, current state is: ${state}.`)
  }

  const signingOf = (name: string): KeyObject => {
    const version = versionCalled(name)
    secretOf(version)
    return version.signing ?? refuse(status.FAILED_PRECONDITION, `${name} does not sign.`)
  }

  const move = (name: string, from: readonly VersionState[], to: VersionState): HeldVersion => {
    const version = versionCalled(name)
    if (!from.includes(version.state))
      refuse(status.FAILED_PRECONDITION, `${name} is ${version.state}.`)
    version.state = to
    version.destroyAt = to === 'DESTROY_SCHEDULED' ? now() + DESTROY_AFTER_MS : null
    return version
  }

  const shownKey = ({ name, purpose, primary }: HeldKey): Key => ({
    name,
    purpose,
    primary: primary === null ? null : shownVersion(atThisTime(primary)),
  })

  return {
    createRing: (name) => {
      if (!RING.test(name)) refuse(status.INVALID_ARGUMENT, `Resource name [${name}] is malformed.`)
      if (rings.has(name)) refuse(status.ALREADY_EXISTS, `KeyRing ${name} already exists.`)
      rings.add(name)
    },
    createKey: (ring, id, purpose = 'ENCRYPT_DECRYPT') => {
      if (!rings.has(ring)) refuse(status.NOT_FOUND, `KeyRing ${ring} not found.`)
      const name = `${ring}/cryptoKeys/${id}`
      if (keys.has(name)) refuse(status.ALREADY_EXISTS, `CryptoKey ${name} already exists.`)
      const key: HeldKey = { name, purpose, versions: [], primary: null }
      keys.set(name, key)
      const first = addVersion(key)
      if (purpose === 'ENCRYPT_DECRYPT') key.primary = first
      return shownKey(key)
    },
    getKey: (name) => shownKey(keyCalled(name)),
    createVersion: (key) => shownVersion(addVersion(keyCalled(key))),
    getVersion: (name) => shownVersion(versionCalled(name)),
    listVersions: (key) => keyCalled(key).versions.map((each) => shownVersion(atThisTime(each))),
    setPrimary: (name, id) => {
      const key = keyCalled(name)
      key.primary = versionCalled(`${name}/cryptoKeyVersions/${id}`)
      return shownKey(key)
    },
    setState: (name, state) => {
      if (state !== 'ENABLED' && state !== 'DISABLED')
        return refuse(status.INVALID_ARGUMENT, `The state cannot be set to ${state}.`)
      return shownVersion(move(name, ['ENABLED', 'DISABLED'], state))
    },
    destroy: (name) => shownVersion(move(name, ['ENABLED', 'DISABLED'], 'DESTROY_SCHEDULED')),
    restore: (name) => shownVersion(move(name, ['DESTROY_SCHEDULED'], 'DISABLED')),
    sign: (version, data) => sign(null, data, signingOf(version)),
    publicKey: (version) =>
      createPublicKey(signingOf(version)).export({ format: 'pem', type: 'spki' }).toString(),
    encrypt: (name, plaintext, aad) => {
      const version = name.includes('/cryptoKeyVersions/')
        ? versionCalled(name)
        : (keyCalled(name).primary ??
          refuse(status.FAILED_PRECONDITION, `${name} has no primary version.`))
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', secretOf(version), iv).setAAD(aad)
      const body = [cipher.update(plaintext), cipher.final()]
      const sealed = Buffer.concat([version.mark, iv, ...body, cipher.getAuthTag()])
      return { used: version.name, sealed }
    },
    decrypt: (name, sealed, aad) => {
      const { versions, primary } = keyCalled(name)
      const bytes = Buffer.from(sealed)
      const version = versions.find(({ mark }) => mark.equals(bytes.subarray(0, MARK_BYTES)))
      if (version === undefined || bytes.length < MARK_BYTES + IV_BYTES + TAG_BYTES)
        return refuse(
          status.INVALID_ARGUMENT,
          "Decryption failed: verify that 'name' refers to the correct CryptoKey.",
        )
      const iv = bytes.subarray(MARK_BYTES, MARK_BYTES + IV_BYTES)
      const options = { authTagLength: TAG_BYTES }
      const decipher = createDecipheriv('aes-256-gcm', secretOf(version), iv, options)
      decipher.setAAD(aad).setAuthTag(bytes.subarray(-TAG_BYTES))
      const body = decipher.update(bytes.subarray(MARK_BYTES + IV_BYTES, -TAG_BYTES))
      try {
        return { primary: version === primary, plaintext: Buffer.concat([body, decipher.final()]) }
      } catch {
        return refuse(status.INVALID_ARGUMENT, 'Decryption failed: the ciphertext is invalid.')
      }
    },
  }
}

function refuse(code: status, message: string): never {
  throw new Refusal(code, message)
}

function shownVersion({ name, state, destroyAt }: HeldVersion): Version {
  const seconds = destroyAt === null ? null : String(Math.floor(destroyAt / 1_000))
  return { name, state, destroyTime: seconds === null ? null : { seconds, nanos: 0 } }
}
