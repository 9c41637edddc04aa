/** What a CRL says of a certificate (RFC 5280 §5, §6.3): complete ones over all reasons, by the issuer itself. */

import { constraintsOf, extension, readExtensions, readName, usageOf } from "./certificate.js";
import { readDer, TAG } from "./der.js";
import { algorithmOf, checkIsHere, isSigned, nameOf } from "./key.js";
import { COUNTING, UnusableError } from "./statement.js";

const [CRL_SIGN, HOLD, REMOVED] = [6, 6n, 8n];
const [DELTA, SCOPE, REASON, POINTS] = ["2.5.29.27", "2.5.29.28", "2.5.29.21", "2.5.29.31"];

// By octets: a file may have thousands of signers below one CRL of megabytes.
const [READ, CHECKED] = [new WeakMap(), new WeakMap()];

/** The statement, or null when it is of another authority. Throws UnusableError, and RangeError for no CRL. */
export async function readCrl({ certificate, issuer }, octets) {
  if (!READ.has(octets)) READ.set(octets, parse(octets));
  const crl = READ.get(octets);
  if (crl.issuer.key !== certificate.issuer.key) return null;
  if (usageOf(issuer)?.has(CRL_SIGN) === false) {
    throw new UnusableError("nơi cấp không được phép ký CRL", "the issuer may not sign CRLs");
  }
  const name = nameOf(crl.algorithm);
  checkIsHere(crl.algorithm);
  if (!COUNTING.has(crl.algorithm.hash)) throw new UnusableError(`ký bằng ${name}`, `signed with ${name}`);
  if (!(await isSignedBy(crl, issuer))) {
    throw new UnusableError("chữ ký không phải của nơi cấp", "the signature is not the issuer's");
  }
  const unknown = [...crl.extensions].some(([oid, { critical }]) => critical && oid !== SCOPE);
  if (crl.extensions.has(DELTA) || unknown || crl.repeated) {
    throw new UnusableError("không phải CRL đầy đủ", "not a complete CRL");
  }
  if (crl.extensions.has(SCOPE) && !covers(extension(crl, SCOPE), certificate)) {
    throw new UnusableError("không gồm chứng thư này", "does not cover this certificate");
  }
  const { madeAt, until } = crl;
  const entry = crl.entries.get(certificate.serial);
  if (!entry) return { madeAt, until };
  const [, revokedAt, list] = entry.nodes;
  const reason = extension(readExtensions(list), REASON)?.expect(TAG.enumerated).number;
  if (reason === REMOVED) return { madeAt, until };
  return { madeAt, until, revokedAt: revokedAt.moment, held: reason === HOLD };
}

function parse(octets) {
  const [body, algorithm, value] = readDer(octets).nodesOf(TAG.sequence);
  const nodes = body.nodesOf(TAG.sequence);
  if (nodes[0].tag === TAG.integer) nodes.shift();
  const [, issuer, madeAt, ...rest] = nodes;
  const isMoment = rest[0]?.tag === TAG.utcTime || rest[0]?.tag === TAG.time;
  const until = isMoment ? rest.shift().moment : null;
  const entries = new Map();
  for (const entry of rest[0]?.tag === TAG.sequence ? rest.shift().nodes : []) {
    const serial = entry.nodes[0].number;
    if (!entries.has(serial)) entries.set(serial, entry); // of several the first counts
  }
  const given = rest.find((node) => node.tag === 0xa0);
  return {
    body: body.whole,
    algorithm: algorithmOf(algorithm),
    value: value.bits,
    issuer: readName(issuer),
    madeAt: madeAt.moment,
    until,
    entries,
    ...readExtensions(given?.nodes[0]),
  };
}

async function isSignedBy(crl, { fingerprint, spki }) {
  if (!CHECKED.has(crl)) CHECKED.set(crl, new Map());
  const known = CHECKED.get(crl);
  if (!known.has(fingerprint)) known.set(fingerprint, await isSigned(spki, crl.algorithm, crl.value, crl.body));
  return known.get(fingerprint);
}

/** RFC 5280 §6.3.3 (b)(2). */
function covers(scope, certificate) {
  const given = new Map(scope.nodesOf(TAG.sequence).map((node) => [node.tag & 31, node]));
  const isSet = (number) => given.has(number) && given.get(number).content[0] === 0xff;
  const authority = constraintsOf(certificate)?.ca ?? false;
  const point = given.get(0)?.nodes[0];
  if (isSet(4) || isSet(5) || given.has(3) || point?.tag === 0xa1) return false;
  if ((isSet(1) && authority) || (isSet(2) && !authority)) return false;
  if (!point) return true;
  const named = extension(certificate, POINTS)?.nodes.flatMap(namesOf) ?? [];
  return point.nodes.some((name) => named.includes(String(name.whole)));
}

/** The full names of a DistributionPoint. */
function namesOf(point) {
  const name = point.nodes.find((node) => node.tag === 0xa0)?.nodes[0];
  return name?.tag === 0xa0 ? name.nodes.map((each) => String(each.whole)) : [];
}
