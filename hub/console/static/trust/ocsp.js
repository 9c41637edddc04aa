/** What an OCSP answer says of a certificate (RFC 6960). */

import { digest, equal } from "../octets.js";
import { extension, isIssuedBy, isReadable, OID, readCertificate, readName, weakKey } from "./certificate.js";
import { readDer, TAG } from "./der.js";
import { algorithmOf, checkIsHere, hashOf, isSigned } from "./key.js";
import { COUNTING, UnusableError } from "./statement.js";

const BASIC = "1.3.6.1.5.5.7.48.1.1";
const HOLD = 6n;
const RESULTS = { 1: "MALFORMED_REQUEST", 2: "INTERNAL_ERROR", 3: "TRY_LATER", 5: "SIG_REQUIRED", 6: "UNAUTHORIZED" };

/**
 * The statement, or null when it is about another certificate. `statusOf(certificate, issuer, at)` tells of a
 * responder whether it was revoked. Throws UnusableError, and RangeError for no answer.
 */
export async function readOcsp(asked, octets, statusOf) {
  const answer = parse(octets);
  const single = await about(answer.singles, asked);
  if (!single) return null;
  checkIsHere(answer.algorithm);
  if (!COUNTING.has(answer.algorithm.hash)) {
    throw new UnusableError("thuật toán ký không được chấp nhận", "signed with an algorithm that does not count");
  }
  const responder = await responderOf(answer, asked, statusOf);
  if (!(await isSigned(responder.spki, answer.algorithm, answer.value, answer.body))) {
    throw new UnusableError("chữ ký không phải của nơi trả lời", "the signature is not the responder's");
  }
  if (single.status.tag === 0x82) {
    throw new UnusableError("nơi trả lời không biết chứng thư này", "the responder does not know this certificate");
  }
  const { madeAt, until, status } = single;
  if (status.tag !== 0xa1) return { madeAt, until };
  const [revokedAt, reason] = status.nodes;
  return { madeAt, until, revokedAt: revokedAt.moment, held: reason?.nodes[0].number === HOLD };
}

function parse(octets) {
  const [result, wrapped] = readDer(octets).nodesOf(TAG.sequence);
  const code = Number(result.expect(TAG.enumerated).number);
  if (code) {
    const name = RESULTS[code] ?? code;
    throw new UnusableError(`trạng thái ${name}`, `its status is ${name}`);
  }
  const [type, basic] = wrapped.expect(0xa0).nodes[0].nodesOf(TAG.sequence);
  if (type.oid !== BASIC) throw new RangeError("OCSP");
  const [body, algorithm, value, certificates] = readDer(basic.expect(TAG.octets).content).nodesOf(TAG.sequence);
  const nodes = body.nodesOf(TAG.sequence);
  if (nodes[0].tag === 0xa0) nodes.shift();
  const [responder, producedAt, list] = nodes;
  return {
    body: body.whole,
    algorithm: algorithmOf(algorithm),
    value: value.bits,
    responder,
    producedAt: producedAt.moment,
    certificates: certificates?.nodes[0].nodes ?? [],
    singles: list.nodesOf(TAG.sequence).map(readSingle),
  };
}

function readSingle(node) {
  const [id, status, madeAt, ...rest] = node.nodesOf(TAG.sequence);
  const until = rest.find((each) => each.tag === 0xa0)?.nodes[0].moment ?? null;
  return { id, status, madeAt: madeAt.moment, until };
}

/** CertID, RFC 6960 §4.1.1. Its hash protects nothing, so that SHA-1 will do. */
async function about(singles, { certificate, issuer }) {
  for (const single of singles) {
    const [algorithm, name, key, serial] = single.id.nodesOf(TAG.sequence);
    const hash = hashOf(algorithm);
    if (!hash || serial.number !== certificate.serial) continue;
    const [named, keyed] = [await digest(hash, certificate.issuer.der), await digest(hash, keyBits(issuer))];
    if (equal(named, name.content) && equal(keyed, key.content)) return single;
  }
  return null;
}

const keyBits = ({ spki }) => readDer(spki).nodes[1].bits;

/** Who may have signed the answer: the issuer, or whom it delegated (RFC 6960 §4.2.2.2). */
async function responderOf(answer, { issuer }, statusOf) {
  if (await isNamed(issuer, answer.responder)) return issuer;
  const named = [];
  for (const node of answer.certificates) {
    const certificate = await readCertificate(node.whole);
    if (isReadable(certificate) && (await isNamed(certificate, answer.responder))) named.push(certificate);
  }
  const [responder] = named;
  if (!responder || !(await isIssuedBy(responder, issuer))) {
    throw new UnusableError("nơi trả lời không do nơi cấp ủy quyền", "the responder was not delegated by the issuer");
  }
  const usages = extension(responder, OID.extendedKeyUsage)?.nodes.map((node) => node.oid) ?? [];
  if (!usages.includes(OID.ocspSigning)) {
    throw new UnusableError("nơi trả lời không được phép ký OCSP", "the responder may not sign OCSP answers");
  }
  const madeAt = answer.producedAt;
  if (madeAt < responder.since || madeAt > responder.until) {
    throw new UnusableError("chứng thư của nơi trả lời hết hạn", "the responder's certificate was not valid then");
  }
  if (weakKey(responder) || !COUNTING.has(responder.algorithm.hash)) {
    throw new UnusableError("chứng thư của nơi trả lời yếu", "the responder's certificate is weak");
  }
  if (responder.extensions.has(OID.ocspNoCheck)) return responder;
  const status = await statusOf(responder, issuer, madeAt);
  if (status.result !== "good") throw new UnusableError(...status.told.map((text) => `(${text})`));
  return responder;
}

/** RFC 6960 §4.2.1: byName [1], or byKey [2], the SHA-1 of the key. */
async function isNamed(certificate, responder) {
  const [name] = responder.nodes;
  if (responder.tag === 0xa1) return certificate.subject.key === readName(name).key;
  return equal(await digest("SHA-1", keyBits(certificate)), name.expect(TAG.octets).content);
}
