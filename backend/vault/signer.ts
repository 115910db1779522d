/**
 * An Ed25519 key (RFC 8032) that never leaves its holder, and signs the heads of audit logs.
 *
 * - The public key is 32 bytes; it stays the same as long as the signer lives.
 * - What was signed verifies with the public key, and nothing else does: a signature is 64 bytes.
 * - The same bytes have the same signature.
 * - A key that is gone, or cannot be reached, is `key_unavailable`: asking again later may help.
 *
 * The signer has no name of its own: in a signed head the key bears the name of the log, as
 * https://c2sp.org/tlog-checkpoint asks for.
 */
export interface Signer {
  publicKey(): Promise<Uint8Array>
  /** @param bytes at most 64 KiB */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}
