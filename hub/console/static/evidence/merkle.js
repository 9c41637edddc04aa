/**
 * Inclusion and consistency in the Merkle tree of the log (RFC 9162 §2.1, SHA-256). Numbers beyond 2³¹ allow no bit
 * operations.
 */

import { concat, equal, sha256 } from "../octets.js";
import { MAX_SIZE } from "./checkpoint.js";

/** The leaf's hash of an entry (RFC 9162 §2.1.1). */
export const leafHash = (entry) => sha256(concat([Uint8Array.of(0), entry]));

const nodeHash = (left, right) => sha256(concat([Uint8Array.of(1), left, right]));

/** Up over the levels where the last node of an incomplete tree has no sibling. */
function pastMissing(at, last) {
  while (at && at % 2 === 0) [at, last] = [at / 2, Math.floor(last / 2)];
  return [at, last];
}

/** Throws Error unless the second tree begins with the first (RFC 9162 §2.1.4.2). */
export async function verifyConsistency(first, second, proof) {
  if (!(first.size > 0 && first.size <= second.size)) {
    throw new Error(`a tree of ${first.size} leaves is no beginning of one of ${second.size}`);
  }
  if (first.size === second.size) {
    if (proof.length) throw new Error("the consistency proof is too long");
    if (!equal(first.root, second.root)) throw new Error("one size has two roots");
    return;
  }
  if (!proof.length) throw new Error("the consistency proof is too short");
  const isComplete = Number.isInteger(Math.log2(first.size));
  const [start, ...path] = isComplete ? [first.root, ...proof] : proof;
  let [at, last, old, young] = [first.size - 1, second.size - 1, start, start];
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  for (const hash of path) {
    if (last === 0) throw new Error("the consistency proof is too long");
    if (at % 2 === 1 || at === last) {
      [old, young] = [await nodeHash(hash, old), await nodeHash(hash, young)];
      [at, last] = pastMissing(at, last);
    } else {
      young = await nodeHash(young, hash);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  if (last) throw new Error("the consistency proof is too short");
  if (!equal(old, first.root)) throw new Error("the consistency proof leads to another first root");
  if (!equal(young, second.root)) throw new Error("the consistency proof leads to another second root");
}

/** Throws Error unless the leaf hash stands at `index` of the tree (RFC 9162 §2.1.3.2). */
export async function verifyInclusion(leaf, index, size, proof, root) {
  if (!(index >= 0 && index < size && size <= MAX_SIZE)) {
    throw new Error(`leaf ${index} is not in a tree of ${size} leaves`);
  }
  let [at, last, found] = [index, size - 1, leaf];
  for (const hash of proof) {
    if (last === 0) throw new Error("the inclusion proof is too long");
    if (at % 2 === 1 || at === last) {
      found = await nodeHash(hash, found);
      [at, last] = pastMissing(at, last);
    } else {
      found = await nodeHash(found, hash);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  if (last) throw new Error("the inclusion proof is too short");
  if (!equal(found, root)) throw new Error("the inclusion proof leads to another root");
}
