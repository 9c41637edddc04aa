/**
 * RFC 3161 tokens (CMS, RFC 5652), in the one form in which the hub keeps them: what the signature leaves open
 * (versions, certificates beside it, unsigned attributes) follows from the rest, is written anew, and compared.
 */

import { EvidenceError } from "../faults.js";
import { digest, equal, hex } from "../octets.js";
import { extension, isIssuedBy, isReadable, OID, readCertificate, shown, usageOf } from "./certificate.js";
import { readDer, TAG, written } from "./der.js";
import { hashOf, isSigned, PublicKey } from "./key.js";
import { toldBy, validate } from "./validation.js";

const MAX_TOKEN = 64 * 1024; // bytes
const [SIGNED_DATA, TST_INFO] = ["1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"];
const [CONTENT_TYPE, MESSAGE_DIGEST] = ["1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"];
const [SIGNING, SIGNING_V2] = ["1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"];
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const COUNTING = ["SHA-256", "SHA-384", "SHA-512"];
const RSA = "1.2.840.113549.1.1.1";
const ECDSA = { "SHA-256": "1.2.840.10045.4.3.2", "SHA-384": "1.2.840.10045.4.3.3", "SHA-512": "1.2.840.10045.4.3.4" };
const NULL = Uint8Array.of(5, 0);

/**
 * `{at, by, path, untold}`: that the octets existed at that moment, by the word of the first of the path, which leads
 * to one of `anchors`; `untold` says of revocation what could not be told. Throws EvidenceError.
 */
export async function verifyToken(token, octets, anchors, material) {
  const read = await opened(token);
  const { leaf, others, stated } = read;
  const { verdict, steps, path } = await validate(leaf, stated.at, { anchors, intermediates: others, material });
  if (verdict !== "VALID" && verdict !== "INDETERMINATE_REVOCATION") {
    throw new EvidenceError(...toldBy([steps.find((each) => each.result === "failed")], "failed"));
  }
  const why = await flawOf(read, octets);
  if (why) throw new EvidenceError(`TSA không ký đúng (${why})`, `it is not what the TSA signs (${why})`);
  if (!equal(inOneForm(read, path), token)) throw notPlain();
  const untold = steps.filter((each) => each.result === "untold").map((each) => toldBy([each], "untold"));
  return { at: stated.at, by: shown(leaf), path, untold };
}

/** What a token brings along that is signed by itself, and that nobody vouches for. Throws EvidenceError. */
export async function rootsIn(token) {
  const { leaf, others } = await opened(token);
  const found = [];
  for (const one of [leaf, ...others]) if (await isIssuedBy(one, one)) found.push(one);
  return found;
}

async function opened(token) {
  if (token.length > MAX_TOKEN) throw new EvidenceError(`lớn hơn ${MAX_TOKEN} byte`, `larger than ${MAX_TOKEN} bytes`);
  let read, wanted, certificates;
  try {
    read = parse(token);
    certificates = await Promise.all(read.certificates.map(({ whole }) => readCertificate(whole)));
    wanted = namedIn(read);
  } catch (fault) {
    throw new EvidenceError(`không đọc được (${fault.message})`, `it cannot be read (${fault.message})`);
  }
  const named = [];
  for (const { hash, value } of wanted) {
    const digests = await Promise.all(certificates.map(({ der }) => digest(hash, der)));
    named.push(certificates.find((_, at) => equal(digests[at], value)));
  }
  const [leaf] = named;
  if (!leaf || !certificates.every(isReadable)) {
    throw new EvidenceError("thiếu chứng thư của TSA", "the TSA's certificate is missing");
  }
  // A BIT STRING that ends in zeros may say of some of them that they are unused: one signature, two spellings.
  if (!certificates.every((one) => one.isPlain)) throw notPlain();
  const others = certificates.filter((one) => one.fingerprint !== leaf.fingerprint);
  return { ...read, leaf, others, named: named.filter(Boolean) };
}

function parse(token) {
  const [type, wrapped] = readDer(token).nodesOf(TAG.sequence);
  if (type.oid !== SIGNED_DATA) throw new RangeError("SignedData");
  const [, , encapsulated, ...rest] = wrapped.expect(0xa0).nodes[0].nodesOf(TAG.sequence);
  const [contentType, content] = encapsulated.nodesOf(TAG.sequence);
  const signers = rest.at(-1).nodesOf(TAG.set);
  if (contentType.oid !== TST_INFO || signers.length !== 1) throw new RangeError("TSTInfo");
  const [, , digestAlgorithm, attributes, , signature] = signers[0].nodesOf(TAG.sequence);
  const octets = content.expect(0xa0).nodes[0].expect(TAG.octets).content;
  const byType = new Map();
  for (const attribute of attributes.expect(0xa0).nodes) {
    const [name, values] = attribute.nodesOf(TAG.sequence);
    if (byType.has(name.oid)) throw new RangeError("signedAttrs");
    byType.set(name.oid, values.nodesOf(TAG.set));
  }
  return {
    octets,
    stated: readStated(octets),
    certificates: rest[0].expect(0xa0).nodes,
    hash: hashOf(digestAlgorithm),
    hashOid: digestAlgorithm.nodesOf(TAG.sequence)[0].whole,
    attributes: attributes.content,
    byType,
    signature: signature.expect(TAG.octets).content,
  };
}

/** TSTInfo (§2.4.2): the moment, and what it is about. */
function readStated(octets) {
  const [, , imprint, , moment] = readDer(octets).nodesOf(TAG.sequence);
  const [algorithm, value] = imprint.nodesOf(TAG.sequence);
  return { at: moment.expect(TAG.time).moment, hash: hashOf(algorithm), imprint: value.expect(TAG.octets).content };
}

/** The digests of certificates that the signature is bound to, the signer's first (RFC 5816 §2.2.1). */
function namedIn({ byType }) {
  const isSecond = byType.has(SIGNING_V2);
  const [attribute, ...more] = byType.get(isSecond ? SIGNING_V2 : SIGNING);
  if (more.length) throw new RangeError("SigningCertificate");
  const listed = attribute.nodesOf(TAG.sequence)[0].nodesOf(TAG.sequence);
  if (!listed.length) throw new RangeError("SigningCertificate");
  return listed.map((one) => {
    const nodes = one.nodesOf(TAG.sequence);
    const isDefault = nodes[0].tag === TAG.octets;
    const hash = !isSecond ? "SHA-1" : isDefault ? "SHA-256" : hashOf(nodes[0]);
    if (!hash) throw new RangeError("hashAlgorithm");
    return { hash, value: nodes[isSecond && !isDefault ? 1 : 0].expect(TAG.octets).content };
  });
}

/** What is wrong with the signature, its purpose or its imprint, or null. */
async function flawOf({ leaf, hash, attributes, byType, octets, signature, stated }, about) {
  if (!COUNTING.includes(hash) || !COUNTING.includes(stated.hash)) return "messageDigest";
  const [type] = byType.get(CONTENT_TYPE) ?? [];
  const [value] = byType.get(MESSAGE_DIGEST) ?? [];
  if (type?.tag !== TAG.oid || type.oid !== TST_INFO || value?.tag !== TAG.octets) return "signedAttrs";
  if (!equal(await digest(hash, octets), value.content)) return "messageDigest";
  const scheme = PublicKey.of(leaf.spki).kind === "ec" ? "ecdsa" : "rsa";
  if (!(await isSigned(leaf.spki, { scheme, hash }, signature, written(TAG.set, attributes)))) return "signature";
  // RFC 3161 §2.3: for nothing else, and nobody may overlook it.
  const purposes = extension(leaf, OID.extendedKeyUsage)?.nodesOf(TAG.sequence).map((node) => node.oid) ?? [];
  const isCritical = leaf.extensions.get(OID.extendedKeyUsage)?.critical;
  if (!isCritical || purposes.length !== 1 || purposes[0] !== TIME_STAMPING) return "extKeyUsage";
  if ([...(usageOf(leaf) ?? [])].some((bit) => bit > 1)) return "keyUsage";
  if (!equal(await digest(stated.hash, about), stated.imprint)) return "messageImprint";
  return null;
}

/** The token as it is kept: whatever its signature does not cover follows from what it does. */
function inOneForm({ leaf, named, hash, hashOid, attributes, octets, signature }, path) {
  const algorithm = written(TAG.sequence, hashOid, NULL);
  const isRsa = PublicKey.of(leaf.spki).kind === "rsa";
  const method = isRsa // RFC 3370 §3.2, RFC 5754 §3.3
    ? written(TAG.sequence, oidOf(RSA), NULL)
    : written(TAG.sequence, oidOf(ECDSA[hash]));
  const signer = written(
    TAG.sequence, number(1), written(TAG.sequence, leaf.issuer.der, leaf.serialNode), algorithm,
    written(0xa0, attributes), method, written(TAG.octets, signature),
  );
  const beside = new Map([...path, ...named].map(({ fingerprint, der }) => [fingerprint, der]));
  const ordered = [...beside.values()].sort((one, other) => (hex(one) < hex(other) ? -1 : 1));
  const stated = written(TAG.sequence, oidOf(TST_INFO), written(0xa0, written(TAG.octets, octets)));
  const signed = written(
    TAG.sequence, number(3), written(TAG.set, algorithm), stated, written(0xa0, ...ordered), written(TAG.set, signer),
  );
  return written(TAG.sequence, oidOf(SIGNED_DATA), written(0xa0, signed));
}

const number = (value) => written(TAG.integer, Uint8Array.of(value));

function oidOf(text) {
  const [first, second, ...arcs] = text.split(".").map(Number);
  const octets = [40 * first + second, ...arcs].flatMap((arc) => {
    const digits = [arc & 127];
    for (let rest = arc >>> 7; rest; rest >>>= 7) digits.unshift((rest & 127) | 128);
    return digits;
  });
  return written(TAG.oid, Uint8Array.from(octets));
}

const notPlain = () => new EvidenceError("không ở dạng duy nhất", "it is not in its one form");
