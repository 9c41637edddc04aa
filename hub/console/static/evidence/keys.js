/**
 * The keys a hub signs with: P-256 for receipts (RFC 7517), Ed25519 for checkpoints (C2SP signed-note).
 *
 * In the file they stand in one form. Those a verifier trusts (pinned) are read as the hub gives them.
 */

import { EvidenceError } from "../faults.js";
import { base64Url, fromBase64Url, fromUtf8, sha256 } from "../octets.js";
import { certificatesOfPem } from "../trust/certificate.js";
import { verifierKey } from "./checkpoint.js";
import { loaded, members, ofType, shorten, texts, written } from "./strict.js";

const KEYS = "keys.json";
const MEMBERS = ["crv", "kid", "kty", "x", "y"];

/** `{receipts: [jwk with key and thumbprint], log: [verifier key], roots}` of keys.json. Throws EvidenceError. */
export async function keysOf(octets) {
  const [jwks, log] = members(KEYS, loaded(KEYS, octets), "jwks", "log");
  const [listed] = members(KEYS, jwks, "keys");
  const receipts = [];
  for (const key of ofType(KEYS, listed, "list")) {
    receipts.push(await jwkOf(key));
    members(KEYS, key, ...MEMBERS);
  }
  if (new Set(receipts.map((key) => key.kid)).size !== receipts.length) throw unusable("keys");
  const read = [];
  for (const text of texts(KEYS, log)) read.push(await logKey(text));
  return { receipts, log: read, roots: [] };
}

/**
 * The keys of files as a hub gives them: a JWKS, or verifier keys line by line; keys.json of an evidence file that is
 * trusted; roots of certificates in PEM. Throws EvidenceError.
 */
export async function pinnedKeys(files) {
  const found = { receipts: [], log: [], roots: [] };
  for (const octets of files) {
    try {
      const text = fromUtf8(octets).trim();
      if (text.startsWith("-----BEGIN")) {
        found.roots.push(...(await certificatesOfPem(text)));
        continue;
      }
      const given = text.startsWith("{") ? JSON.parse(text) : { log: text.split(/\r\n|\r|\n/) };
      for (const key of (given.jwks ?? given).keys ?? []) found.receipts.push(await jwkOf(key));
      for (const line of given.log ?? []) found.log.push(await logKey(line));
    } catch (fault) {
      throw fault instanceof EvidenceError ? fault : unusable(fault.message);
    }
  }
  return found;
}

async function jwkOf(key) {
  const isObject = key !== null && typeof key === "object";
  const made = {};
  for (const member of MEMBERS) {
    if (!isObject || !Object.hasOwn(key, member)) throw unusable(member);
    made[member] = ofType(KEYS, key[member], "text");
  }
  if (made.kty !== "EC" || made.crv !== "P-256") throw unusable(made.kid);
  const { crv, kty, x, y } = made;
  const format = { name: "ECDSA", namedCurve: "P-256" };
  try {
    // Of Base64 in 43 characters the last has two bits to spare: one key would have four spellings.
    if (fromBase64Url(x).length !== 32 || fromBase64Url(y).length !== 32) throw new RangeError(made.kid);
    made.key = await crypto.subtle.importKey("jwk", { crv, kty, x, y }, format, true, ["verify"]);
  } catch (fault) {
    throw unusable(fault.message || made.kid); // with a point that is not on the curve
  }
  made.thumbprint = base64Url(await sha256(written({ crv, kty, x, y }))); // RFC 7638
  return made;
}

async function logKey(text) {
  try {
    return await verifierKey(text);
  } catch (fault) {
    throw unusable(fault.message);
  }
}

const unusable = (what) =>
  new EvidenceError(`khóa không dùng được (${shorten(what, 100)})`, `a key cannot be used (${shorten(what, 100)})`);
