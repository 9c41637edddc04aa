/** Which algorithms and keys count, by their XML Signature identifiers (XML Signature 1.1 §6, RFC 9231). */

import { importKey, PublicKey } from "../trust/key.js";
import { Refusal } from "./refusals.js";

export const EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#";
export const INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
export const ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

const DIGESTS = {
  "http://www.w3.org/2001/04/xmlenc#sha256": "SHA-256",
  "http://www.w3.org/2001/04/xmldsig-more#sha384": "SHA-384",
  "http://www.w3.org/2001/04/xmlenc#sha512": "SHA-512",
  "http://www.w3.org/2000/09/xmldsig#sha1": "SHA-1",
};
const METHODS = { "http://www.w3.org/2000/09/xmldsig#rsa-sha1": ["rsa-sha1", "rsa", "SHA-1"] };
for (const bits of ["256", "384", "512"]) {
  const [more, newer] = ["http://www.w3.org/2001/04/xmldsig-more#", "http://www.w3.org/2007/05/xmldsig-more#"];
  METHODS[`${more}rsa-sha${bits}`] = [`rsa-sha${bits}`, "rsa", `SHA-${bits}`];
  METHODS[`${newer}sha${bits}-rsa-MGF1`] = [`rsa-pss-sha${bits}`, "rsa-pss", `SHA-${bits}`];
  METHODS[`${more}ecdsa-sha${bits}`] = [`ecdsa-sha${bits}`, "ecdsa", `SHA-${bits}`];
}

/** The method of that identifier, fit for the key: `{name, scheme, hash}`. Throws Refusal. */
export function methodOf(uri, key) {
  if (!Object.hasOwn(METHODS, uri)) throw refused(uri);
  const [name, scheme, hash] = METHODS[uri];
  if ((scheme === "ecdsa") !== (key.kind === "ec")) {
    throw refused(`${name} ≠ ${key.kind === "ec" ? "ECDSA" : "RSA"}`);
  }
  return { name, scheme, hash };
}

/** WebCrypto's name of a DigestMethod. Throws Refusal. */
export function digestOf(uri) {
  if (!Object.hasOwn(DIGESTS, uri)) throw refused(uri);
  return DIGESTS[uri];
}

const refused = (found) => new Refusal("signature-algorithm", { found: found.slice(0, 200) });

/** The certificate's public key, if accepted in kind and strength. Throws Refusal. */
export async function keyOf(certificate) {
  const weak = (why) => new Refusal("certificate-invalid", { why });
  let key;
  try {
    key = PublicKey.of(certificate.spki);
    if (key.kind !== "other") await importKey(key, key.kind === "ec" ? "ecdsa" : "rsa", "SHA-256");
  } catch {
    throw weak("SubjectPublicKeyInfo");
  }
  if (key.kind === "rsa") {
    if (key.bits < 2048) throw weak(`RSA-${key.bits}`);
    if (key.exponent % 2n === 0n || key.exponent <= 2n ** 16n || key.exponent >= 2n ** 256n) throw weak("RSA e");
  } else if (key.kind !== "ec") {
    throw weak(key.name);
  } else if (!["P-256", "P-384"].includes(key.curve)) {
    throw weak(`ECDSA ${key.curve}`);
  }
  return key;
}

/** Whether `value` is the signature of `octets` (XML Signature 1.1 §6.4). */
export async function isRight({ scheme, hash }, key, value, octets) {
  // r and s side by side, each as wide as the curve, is WebCrypto's form too.
  const imported = await importKey(key, scheme, hash);
  const format = { rsa: "RSASSA-PKCS1-v1_5", "rsa-pss": "RSA-PSS", ecdsa: "ECDSA" }[scheme];
  const saltLength = { "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 }[hash];
  return crypto.subtle.verify({ name: format, hash, saltLength }, imported, value, octets);
}
