/** Certificates (RFC 5280 §4): what is read of one, and how it is named in texts. */

import { EvidenceError } from "../faults.js";
import { base64, equal, fromPlainBase64, fromUtf8, hex, latin1, sha256, utf8 } from "../octets.js";
import { readDer, TAG } from "./der.js";
import { algorithmOf, isSigned, PublicKey } from "./key.js";

export const OID = {
  keyUsage: "2.5.29.15", basicConstraints: "2.5.29.19", nameConstraints: "2.5.29.30", extendedKeyUsage: "2.5.29.37",
  distributionPoints: "2.5.29.31", alternativeName: "2.5.29.17", authorityKey: "2.5.29.35", subjectKey: "2.5.29.14",
  authorityAccess: "1.3.6.1.5.5.7.1.1", ocspSigning: "1.3.6.1.5.5.7.3.9", ocspNoCheck: "1.3.6.1.5.5.7.48.1.5",
};
const SHORT = {
  "2.5.4.3": "CN", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.6": "C",
  "2.5.4.9": "STREET", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
}; // RFC 4514 §3
const STANDARD = /^(?:2\.5\.29|1\.3\.6\.1\.5\.5\.7)\./;
const UNIQUE_IDENTIFIER = "2.5.4.45";
const VALUES = new Set([0x03, 0x04, 0x0c, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a, 0x1c, 0x1e]); // X.520 §6.1, X.680
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** The certificate of DER octets; throws RangeError for what is none. */
export async function readCertificate(der) {
  let read;
  try {
    read = parse(der);
  } catch {
    throw new RangeError("Certificate"); // with one whose parts are missing
  }
  return { ...read, fingerprint: hex(await sha256(der)) };
}

function parse(der) {
  const [body, algorithm, value, ...more] = readDer(der).nodesOf(TAG.sequence);
  if (!value || more.length) throw new RangeError("Certificate");
  const nodes = body.nodesOf(TAG.sequence);
  const given = nodes[0]?.tag === 0xa0 ? nodes.shift().nodes[0].expect(TAG.integer).number : null;
  const version = given === null ? 1 : Number(given) + 1;
  const [serial, inner, issuer, validity, subject, spki, ...rest] = nodes;
  if (!spki || given === 0n || (version !== 1 && version !== 3)) throw new RangeError("Certificate");
  const [since, until] = validity.nodesOf(TAG.sequence).map((node) => node.moment);
  const extensions = rest.find((node) => node.tag === 0xa3);
  PublicKey.check(spki);
  algorithmOf(inner);
  return {
    der,
    version,
    body: body.whole,
    serial: serial.expect(TAG.integer).number,
    serialNode: serial.whole,
    algorithm: { ...algorithmOf(algorithm), consistent: equal(inner.whole, algorithm.whole) },
    value: value.bits,
    isPlain: value.isWhole,
    issuer: readName(issuer),
    subject: readName(subject),
    since,
    until,
    spki: spki.whole,
    ...readExtensions(extensions?.nodes[0]),
  };
}

/** `{extensions, repeated}`: by OID `{critical, value}`; `repeated` when one is there twice (RFC 5280 §4.2). */
export function readExtensions(list) {
  const extensions = new Map();
  let repeated = false;
  for (const node of list?.nodesOf(TAG.sequence) ?? []) {
    const [oid, ...facts] = node.nodesOf(TAG.sequence);
    const critical = facts.length === 2 ? facts[0].bool : false;
    repeated ||= extensions.has(oid.oid);
    extensions.set(oid.oid, { critical, value: facts.at(-1).expect(TAG.octets).content });
  }
  return { extensions, repeated };
}

/** `{der, key, text, common}`: `key` to compare names with, `text` as in RFC 4514. */
export function readName(node) {
  const sets = node.nodesOf(TAG.sequence).map((set) => {
    return set.nodesOf(TAG.set).map((pair) => {
      const [oid, value] = pair.nodesOf(TAG.sequence);
      return [oid.oid, textOf(oid.oid, value)];
    });
  });
  const shownSet = (set) => set.map(([oid, text]) => `${SHORT[oid] ?? oid}=${escaped(text)}`).join("+");
  const written = sets.toReversed().map(shownSet);
  const common = sets.flat().find(([oid]) => oid === "2.5.4.3")?.[1];
  return { der: node.whole, key: JSON.stringify(sets), text: written.join(","), common };
}

function textOf(oid, { tag, content }) {
  if (!VALUES.has(tag) || (tag === 0x03 && oid !== UNIQUE_IDENTIFIER)) throw new RangeError("a name that is no text");
  if (tag === 0x1e) return new TextDecoder("utf-16be", { fatal: true }).decode(content);
  if (tag === 0x03) return hex(content);
  if (tag === 0x13 && !PRINTABLE.test(latin1(content))) throw new RangeError("PrintableString");
  try {
    return fromUtf8(content);
  } catch {
    throw new RangeError("a name that is no text");
  }
}

function escaped(text) {
  const inside = text.replace(/[\\",+;<>]/g, "\\$&").replaceAll("\0", "\\00");
  return inside.replace(/^[# ]/, "\\$&").replace(/(?!^) $/, "\\ ");
}

/** «common name», or all of the subject. */
export const shown = ({ subject }) => `«${subject.common ?? subject.text}»`;

/** As `shown`, with what to compare it by. */
export const named = (certificate) => `${shown(certificate)} SHA-256 ${certificate.fingerprint}`;

/** The value of an extension as a node, or null. */
export function extension({ extensions }, oid) {
  const found = extensions.get(oid);
  return found ? readDer(found.value) : null;
}

/** `{ca, pathLength}`, or null without the extension. */
export function constraintsOf(certificate) {
  const node = extension(certificate, OID.basicConstraints);
  if (!node) return null;
  const nodes = node.nodesOf(TAG.sequence);
  const ca = nodes[0]?.tag === TAG.boolean && nodes[0].bool;
  const length = nodes.find((each) => each.tag === TAG.integer);
  return { ca, pathLength: length ? Number(length.number) : null };
}

/** The bits of keyUsage (RFC 5280 §4.2.1.3), or null without the extension. */
export const usageOf = (certificate) => extension(certificate, OID.keyUsage)?.flags ?? null;

/** Whether the extensions can be read, as far as they are those of RFC 5280 and RFC 6960. */
export function isReadable(certificate) {
  try {
    for (const [oid, { value }] of certificate.extensions) if (STANDARD.test(oid)) readDer(value).check();
    constraintsOf(certificate);
    usageOf(certificate);
    return !certificate.repeated;
  } catch (fault) {
    if (fault instanceof RangeError || fault instanceof TypeError) return false; // with parts that are missing
    throw fault;
  }
}

/** What is wrong with the key, or null. */
export function weakKey(certificate) {
  try {
    return PublicKey.of(certificate.spki).weakness;
  } catch {
    return "SubjectPublicKeyInfo";
  }
}

/** Whether names and signature say so. */
export async function isIssuedBy(certificate, issuer) {
  const { algorithm, value, body } = certificate;
  const named = certificate.issuer.key === issuer.subject.key && algorithm.consistent;
  return named && isSigned(issuer.spki, algorithm, value, body);
}

const LONGEST = 1024 * 1024; // bytes of a part
const PEM = /-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----/g;

/** Every certificate of a PEM text. Throws EvidenceError. */
export async function certificatesOfPem(text) {
  const found = [];
  try {
    for (const [, inside] of text.matchAll(PEM)) {
      found.push(await readCertificate(fromPlainBase64(inside.replace(/\s/g, ""))));
    }
  } catch (fault) {
    const why = fault.message;
    throw new EvidenceError(`chứng thư không đọc được (${why})`, `a certificate cannot be read (${why})`);
  }
  if (!found.length) throw new EvidenceError("không có chứng thư nào", "there is no certificate");
  return found;
}

/** The certificate of a part, if it is PEM as OpenSSL writes it, of 1 MiB at most; else throws RangeError. */
export async function certificateOfPart(octets) {
  if (octets.length > LONGEST) throw new RangeError("PEM");
  const inside = latin1(octets).split("\n").slice(1, -2).join("");
  const certificate = await readCertificate(fromPlainBase64(inside));
  const lines = base64(certificate.der).match(/.{1,64}/g).join("\n");
  const plain = utf8(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`);
  if (!equal(plain, octets) || !isReadable(certificate)) throw new RangeError("PEM");
  return certificate;
}
