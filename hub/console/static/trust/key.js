/** Public keys and signature algorithms of X.509 (RFC 5280 §4.1, RFC 3279, RFC 4055, RFC 5480, RFC 5758). */

import { NotHereError } from "../faults.js";
import { concat } from "../octets.js";
import { readDer, TAG } from "./der.js";

const CURVES = { "1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521" };
const WIDTHS = { "P-256": 32, "P-384": 48, "P-521": 66 };
const HASHES = {
  "1.3.14.3.2.26": "SHA-1", "2.16.840.1.101.3.4.2.1": "SHA-256", "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};
const SIGNATURES = {
  "1.2.840.113549.1.1.5": ["rsa", "SHA-1"],
  "1.2.840.113549.1.1.11": ["rsa", "SHA-256"],
  "1.2.840.113549.1.1.12": ["rsa", "SHA-384"],
  "1.2.840.113549.1.1.13": ["rsa", "SHA-512"],
  "1.2.840.10045.4.1": ["ecdsa", "SHA-1"],
  "1.2.840.10045.4.3.2": ["ecdsa", "SHA-256"],
  "1.2.840.10045.4.3.3": ["ecdsa", "SHA-384"],
  "1.2.840.10045.4.3.4": ["ecdsa", "SHA-512"],
};
const [RSA, EC, PSS] = ["1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "1.2.840.113549.1.1.10"];
const SHA3 = /^2\.16\.840\.1\.101\.3\.4\.3\.(?:9|1[0-6])$/; // ECDSA and RSA with it, as NIST registered them

/** `kind` is rsa (with `bits`, `exponent`), ec (with `curve`) or other; `name` for texts. */
export class PublicKey {
  constructor(facts) {
    Object.assign(this, facts);
  }

  /** Throws RangeError where a SubjectPublicKeyInfo is none, whatever its key. */
  static check(node) {
    const [algorithm, { bits }, ...more] = node.nodesOf(TAG.sequence);
    const { oid, parameters } = identified(algorithm);
    const named = [TAG.oid, TAG.sequence, 0x05].includes(parameters?.tag); // RFC 5480 §2.1.1
    if (!bits || more.length || (oid === EC && !named)) throw new RangeError("SubjectPublicKeyInfo");
    if (oid === EC && parameters.tag === TAG.oid) void parameters.oid;
  }

  /** Of a SubjectPublicKeyInfo; throws RangeError. */
  static of(spki) {
    const [algorithm, bits] = readDer(spki).nodesOf(TAG.sequence);
    const { oid, parameters } = identified(algorithm);
    if (!bits.isWhole) throw new RangeError("subjectPublicKey");
    if (oid === RSA) {
      const numbers = readDer(bits.bits).nodesOf(TAG.sequence).map((node) => node.expect(TAG.integer).number);
      const [modulus, exponent] = numbers;
      const size = modulus.toString(2).length;
      return new PublicKey({ kind: "rsa", spki, bits: size, exponent, name: `RSA-${size}` });
    }
    if (oid !== EC) return new PublicKey({ kind: "other", spki, name: oid });
    const curve = CURVES[parameters.oid];
    return new PublicKey({ kind: curve ? "ec" : "other", spki, curve, name: `ECDSA ${curve ?? parameters.oid}` });
  }

  /** What is wrong with it: RSA of 2048 bits and more, and P-256, P-384 and P-521 count for certificates. */
  get weakness() {
    return this.kind === "ec" || (this.kind === "rsa" && this.bits >= 2048) ? null : this.name;
  }
}

/** The key for WebCrypto; `scheme` is rsa, rsa-pss or ecdsa. Throws RangeError for one that is none. */
export async function importKey(key, scheme, hash) {
  const name = { rsa: "RSASSA-PKCS1-v1_5", "rsa-pss": "RSA-PSS", ecdsa: "ECDSA" }[scheme];
  try {
    return await crypto.subtle.importKey("spki", key.spki, { name, hash, namedCurve: key.curve }, false, ["verify"]);
  } catch {
    throw new RangeError("SubjectPublicKeyInfo");
  }
}

/** OID and parameters of an AlgorithmIdentifier. */
function identified(node) {
  const [oid, parameters, ...more] = node.nodesOf(TAG.sequence);
  if (more.length) throw new RangeError("AlgorithmIdentifier");
  return { oid: oid.oid, parameters };
}

/** `{scheme, hash, salt, oid}` of an AlgorithmIdentifier; without `hash` for one that is not known here. */
export function algorithmOf(node) {
  const { oid, parameters } = identified(node);
  const known = SIGNATURES[oid];
  if (known) return { scheme: known[0], hash: known[1], oid };
  if (oid !== PSS || !parameters) return { oid };
  const given = Object.fromEntries(parameters.nodesOf(TAG.sequence).map((each) => [each.tag, each.nodes[0]]));
  const hash = hashOf(given[0xa0]);
  const mask = given[0xa1] ? hashOf(given[0xa1].nodes[1]) : "SHA-1";
  const salt = given[0xa2] ? Number(given[0xa2].expect(TAG.integer).number) : 20;
  return { scheme: "rsa-pss", hash, mask, salt, oid };
}

/** How texts name a signature's algorithm: by its hash, or the OID of one that is not known here. */
export const nameOf = ({ hash, oid }) => hash?.toLowerCase().replace("-", "") ?? oid;

/** WebCrypto's name of the hash of an AlgorithmIdentifier, SHA-1 where it is left out; undefined for others. */
export function hashOf(node) {
  return node ? HASHES[node.nodesOf(TAG.sequence)[0].oid] : "SHA-1";
}

/** Throws NotHereError for an algorithm that may count and that WebCrypto does not know. */
export function checkIsHere({ scheme, hash, mask, oid }) {
  if (SHA3.test(oid) || (scheme === "rsa-pss" && hash !== mask)) {
    throw new NotHereError(`trình duyệt không có thuật toán ${oid}`, `browsers do not have the algorithm ${oid}`);
  }
}

/** Whether `value` is the signature of `octets` by the key. Throws NotHereError for what WebCrypto does not know. */
export async function isSigned(spki, algorithm, value, octets) {
  checkIsHere(algorithm);
  const { scheme, hash, salt } = algorithm;
  if (!hash) return false;
  try {
    const key = PublicKey.of(spki);
    if ((scheme === "ecdsa") !== (key.kind === "ec") || key.kind === "other") return false;
    const imported = await importKey(key, scheme, hash);
    const plain = scheme === "ecdsa" ? sideBySide(value, WIDTHS[key.curve]) : value;
    const by = { name: imported.algorithm.name, hash, saltLength: salt };
    return await crypto.subtle.verify(by, imported, plain, octets);
  } catch (fault) {
    if (fault instanceof RangeError) return false;
    throw fault;
  }
}

/** Of SEQUENCE {r, s} (RFC 3279 §2.2.3) what WebCrypto wants. */
function sideBySide(value, width) {
  const [r, s, ...more] = readDer(value).nodesOf(TAG.sequence).map((node) => node.expect(TAG.integer));
  if (!s || more.length || r.number < 0n || s.number < 0n) throw new RangeError("ECDSA");
  return concat([r, s].map(({ number }) => {
    const digits = number.toString(16).padStart(2 * width, "0");
    if (digits.length > 2 * width) throw new RangeError("ECDSA");
    return Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
  }));
}
