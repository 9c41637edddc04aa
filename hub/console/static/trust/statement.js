/** What CRLs and OCSP answers share: `{madeAt, until, revokedAt, held}` is a statement of one; which hashes count. */

export const COUNTING = new Set(["SHA-256", "SHA-384", "SHA-512"]);

/** Why a CRL or answer is not believed. */
export class UnusableError extends Error {
  constructor(vi, en) {
    super(en);
    this.vi = vi;
    this.en = en;
  }
}

const VIETNAM = 7 * 3600_000; // Asia/Ho_Chi_Minh has had no other offset since 1975

/** A moment as texts name it, in Vietnam's time. */
export function dated(moment) {
  const there = new Date(moment + VIETNAM).toISOString();
  return `${there.slice(8, 10)}/${there.slice(5, 7)}/${there.slice(0, 4)} ${there.slice(11, 19)} +0700`;
}
