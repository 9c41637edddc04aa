/**
 * Whether a certificate was revoked or on hold at a moment, by CRLs (RFC 5280 §6.3) and OCSP answers (RFC 6960). The
 * rules are those of hub/domain/trust/revocation.py; when the data was had is not in the file.
 */

import { shown } from "./certificate.js";
import { readCrl } from "./crl.js";
import { readOcsp } from "./ocsp.js";
import { dated, UnusableError } from "./statement.js";

const MAXIMUM_AGE = 7 * 24 * 3600_000; // milliseconds, of a statement older than the moment

/** `{result: good | revoked | unknown, told: [vi, en]}`. `material` is a list of `{kind: crl | ocsp, octets}`. */
export async function statusOf(certificate, issuer, at, material) {
  const asked = { certificate, issuer };
  const crls = material.filter((item) => item.kind === "crl");
  const ofResponder = (responder, above, madeAt) => statusOf(responder, above, madeAt, crls);
  const [statements, unusable] = [[], []];
  for (const { kind, octets } of material) {
    try {
      const statement = kind === "crl" ? await readCrl(asked, octets) : await readOcsp(asked, octets, ofResponder);
      if (!statement) continue;
      checkCurrent(statement, at);
      statements.push(statement);
    } catch (fault) {
      const name = kind.toUpperCase();
      if (fault instanceof UnusableError) {
        unusable.push([`${name} không dùng được: ${fault.vi}`, `${name} not used: ${fault.en}`]);
      } else if (fault instanceof RangeError || fault instanceof TypeError) {
        unusable.push([`${name} không đọc được`, `${name} cannot be read`]); // with parts that are missing
      } else {
        throw fault;
      }
    }
  }
  const { result, told } = decide(certificate, statements, at);
  return { result, told: [0, 1].map((at_) => [told, ...unusable].map((texts) => texts[at_]).join("; ")) };
}

function decide(certificate, statements, at) {
  const name = shown(certificate);
  const isRevoked = ({ revokedAt }) => revokedAt !== undefined && revokedAt <= at;
  const clear = statements.filter((one) => !isRevoked(one));
  for (const one of statements.filter(isRevoked)) {
    const released = one.held && clear.some((later) => one.madeAt < later.madeAt && later.madeAt <= at);
    if (released) continue;
    const [vi, en] = one.held ? ["tạm dừng", "put on hold"] : ["thu hồi", "revoked"];
    const since = dated(one.revokedAt);
    return { result: "revoked", told: [`${name} bị ${vi} từ ${since}`, `${name} was ${en} at ${since}`] };
  }
  const telling = clear.filter((one) => one.revokedAt !== undefined || one.madeAt <= certificate.until);
  if (!telling.length) {
    const told = [
      `không có CRL hay trả lời OCSP nào dùng được về ${name}`,
      `there is no usable CRL or OCSP answer about ${name}`,
    ];
    return { result: "unknown", told };
  }
  const newest = dated(Math.max(...telling.map((one) => one.madeAt)));
  const told = [
    `${name} không bị thu hồi lúc ký, theo thông tin ngày ${newest}`,
    `${name} was not revoked at signing, as stated at ${newest}`,
  ];
  return { result: "good", told };
}

function checkCurrent({ madeAt, until }, at) {
  if (madeAt < at && ((until !== null && until < at) || at - madeAt > MAXIMUM_AGE)) {
    const told = dated(madeAt);
    throw new UnusableError(`quá cũ so với lúc ký (ngày ${told})`, `too old for the moment of signing (of ${told})`);
  }
}
