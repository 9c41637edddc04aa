/** The way from a certificate to a trusted root, at a moment (RFC 5280 §6.1). */

import { NotHereError } from "../faults.js";
import { equal } from "../octets.js";
import { constraintsOf, isIssuedBy, isReadable, OID, shown, usageOf, weakKey } from "./certificate.js";
import { nameOf } from "./key.js";

export const LONGEST = 6; // certificates between the signer's and the root
const MOST_TRIES = 64; // signatures the walk verifies: a document brings its intermediates along, so they may be a maze
const KEY_CERT_SIGN = 5;
const MAX_SERIAL = 2n ** 159n; // RFC 5280 §4.1.2.2: 20 octets
const PROCESSED = new Set([
  OID.keyUsage, OID.basicConstraints, OID.extendedKeyUsage, OID.alternativeName, OID.authorityKey, OID.subjectKey,
  OID.authorityAccess,
]);

/**
 * `{certificates, trusted, flaws, weak}`: from the signer's towards the root, as far as they reach; `flaws` is what is
 * wrong with the path, in both languages, `weak` what is wrong with its keys and algorithms. Throws NotHereError.
 */
export async function findPath(certificate, at, anchors, intermediates) {
  const pool = intermediates.filter(isReadable);
  const isAnchor = (one) => anchors.some((anchor) => anchor.fingerprint === one.fingerprint);
  const walked = await walk(certificate, [...anchors, ...pool], isAnchor);
  const ranked = walked.map((path) => {
    const flaws = flawsOf(path, at);
    return { path, flaws, rank: [Number(!isAnchor(path.at(-1))), flaws.length, -path.length] };
  });
  ranked.sort((one, other) => one.rank.map((part, n) => part - other.rank[n]).find(Boolean) ?? 0);
  const [{ path, flaws }] = ranked;
  const weak = weakOf(path, isAnchor);
  if (!isAnchor(path.at(-1))) flaws.push(endOf(path.at(-1), [...anchors, ...pool]));
  else flaws.push(...path.flatMap(strange), ...path.slice(0, -1).flatMap(strangelySigned));
  if (path.some((one) => one.extensions.has(OID.nameConstraints))) {
    throw new NotHereError("chứng thư có ràng buộc tên", "a certificate has name constraints");
  }
  const inTime = certificate.since <= at && at <= certificate.until;
  // The signer's own key makes no path wrong: its weakness is a step of its own.
  const holds = weak.length === Number(weakKey(certificate) !== null);
  return { certificates: path, trusted: !flaws.length && holds && inTime, flaws, weak };
}

/** Every path by names and signatures, those that lead nowhere too. */
async function walk(certificate, issuers, isAnchor) {
  const found = [];
  const waiting = [[certificate]];
  let tries = MOST_TRIES;
  while (waiting.length) {
    const path = waiting.shift();
    const last = path.at(-1);
    found.push(path);
    if (isAnchor(last) || path.length > LONGEST + 1) continue;
    for (const issuer of issuers) {
      const isIn = path.some((one) => one.fingerprint === issuer.fingerprint);
      if (!equal(issuer.subject.der, last.issuer.der) || isIn) continue;
      if (!tries) return found;
      tries -= 1;
      if (await isIssuedBy(last, issuer)) waiting.push([...path, issuer]);
    }
  }
  return found;
}

function weakOf(path, isAnchor) {
  // What an anchor's own signature is made with is of no weight: it is trusted, not verified.
  const signatures = path
    .filter((one) => !isAnchor(one) && !["SHA-256", "SHA-384", "SHA-512"].includes(one.algorithm.hash))
    .map((one) => `${nameOf(one.algorithm)} (${shown(one)})`);
  const keys = path.filter(weakKey).map((one) => `${weakKey(one)} (${shown(one)})`);
  return [...signatures, ...keys];
}

/** What is wrong with the issuers of a path (RFC 5280 §6.1.4 k–n). */
function flawsOf(path, at) {
  const found = [];
  for (const [below, issuer] of path.slice(1).entries()) {
    const name = shown(issuer);
    if (at < issuer.since || at > issuer.until) {
      found.push([`${name} không còn hoặc chưa có hiệu lực lúc ký`, `${name} was not valid at signing`]);
    }
    const constraints = constraintsOf(issuer);
    if (!constraints?.ca || usageOf(issuer)?.has(KEY_CERT_SIGN) === false) {
      found.push([`${name} không được phép cấp chứng thư`, `${name} may not issue certificates`]);
    } else if (constraints.pathLength !== null && constraints.pathLength < below) {
      const most = constraints.pathLength;
      found.push([
        `${name} chỉ cho phép ${most} cấp trung gian bên dưới, ở đây có ${below}`,
        `${name} allows ${most} authorities below it, here are ${below}`,
      ]);
    }
  }
  return found;
}

/** What a certificate has that a path may not rest on (RFC 5280 §4.1.2.1, §4.1.2.2, §4.2). */
function strange(certificate) {
  const critical = [...certificate.extensions].filter(([oid, { critical: is }]) => is && !PROCESSED.has(oid));
  const found = critical.filter(([oid]) => oid !== OID.nameConstraints).map(([oid]) => oid);
  if (certificate.version !== 3) found.push(`X.509 v${certificate.version}`);
  if (certificate.serial < 0n || certificate.serial >= MAX_SERIAL) found.push("serialNumber");
  const name = shown(certificate);
  return found.map((what) => [
    `${name} có điều không xử lý được: ${what}`,
    `${name} has what cannot be processed: ${what}`,
  ]);
}

/** RSA-PSS counts on a path in the one form that TLS certificates have too: its salt as long as the hash. */
function strangelySigned(certificate) {
  const { scheme, hash, salt } = certificate.algorithm;
  if (scheme !== "rsa-pss" || hash === `SHA-${8 * salt}`) return [];
  const name = shown(certificate);
  return [[
    `chữ ký trên ${name} là RSA-PSS với salt ${salt} byte`,
    `the signature on ${name} is RSA-PSS with a salt of ${salt} bytes`,
  ]];
}

function endOf(last, known) {
  const issuer = last.issuer.text;
  if (last.issuer.key === last.subject.key) {
    return [`gốc ${shown(last)} không được tin cậy`, `the root ${shown(last)} is not trusted`];
  }
  if (known.some((one) => one.subject.key === last.issuer.key)) {
    return [
      `chữ ký trên ${shown(last)} không phải của ${issuer}`,
      `the signature on ${shown(last)} is not that of ${issuer}`,
    ];
  }
  return [`không có chứng thư của nơi cấp ${issuer}`, `the certificate of the issuer ${issuer} is missing`];
}
