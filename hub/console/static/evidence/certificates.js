/** Whether the signers' certificates counted when the hub took what they signed, by what the file has of them. */

import { NotHereError } from "../faults.js";
import { certificateOfPart, isReadable, named, shown } from "../trust/certificate.js";
import { toldBy, validate } from "../trust/validation.js";
import { CERTIFICATE } from "./container.js";

/**
 * Judges each signer at the moment of its receipt. `trusted` are the pinned roots; without any, the file's own count
 * and are told. Who leads to no root here is told too: that is no fault, agencies register what they have.
 */
export async function noteCertificates(noted, { certificates, revocation }, signings, trusted) {
  const held = { root: [], intermediate: [], signer: [] };
  for (const [name, octets] of certificates) {
    try {
      held[CERTIFICATE.exec(name)[1]].push(await certificateOfPart(octets));
    } catch (fault) {
      if (!(fault instanceof RangeError)) throw fault;
      noted.wrong(`${name} không phải chứng thư PEM`, `${name} is no certificate in PEM`);
      return;
    }
  }
  const signed = new Set(signings.map(({ certificate }) => certificate.fingerprint));
  for (const { fingerprint } of held.signer.filter((one) => !signed.has(one.fingerprint))) {
    noted.wrong(`chứng thư ${fingerprint} không ký gì ở đây`, `the certificate ${fingerprint} signed nothing here`);
  }
  noteRoots(noted, held.root, trusted);
  const anchors = trusted.length ? trusted : held.root;
  const given = { anchors, intermediates: held.intermediate, material: materialOf(revocation) };
  for (const own of Map.groupBy(signings, ({ certificate }) => certificate.fingerprint).values()) {
    await noteSigner(noted, own, given);
  }
}

/** The revocation data of a file. */
export function materialOf(revocation) {
  return [...revocation].map(([name, octets]) => ({ kind: name.endsWith("crl") ? "crl" : "ocsp", octets }));
}

function noteRoots(noted, roots, trusted) {
  if (trusted.length) {
    for (const root of roots.filter((one) => !trusted.some((each) => each.fingerprint === one.fingerprint))) {
      noted.wrong(`gốc ${shown(root)} không được ghim`, `the root ${shown(root)} is not among the pinned`);
    }
  } else if (roots.length) {
    const prints = roots.map(named).join("; ");
    noted.open(
      `gốc là của chính tệp này, hãy đối chiếu: ${prints}`,
      `the roots are the file's own, compare: ${prints}`,
    );
  } else {
    noted.open(
      "tệp không có chứng thư gốc: ai là chủ chứng thư ký chỉ có sổ đăng ký của trục nói",
      "the file has no root: whose the signers' certificates are, only the hub's register says",
    );
  }
}

/** All that one certificate signed, at every moment of it: a hold may have begun and ended between two. */
async function noteSigner(noted, own, given) {
  const found = new Map();
  try {
    for (const signing of own) {
      const { at, certificate } = signing;
      if (!found.has(at)) found.set(at, await validate(certificate, at, given));
      if (found.get(at).verdict !== "VALID") noteSigning(noted, signing, found.get(at), given);
    }
  } catch (fault) {
    if (!(fault instanceof NotHereError)) throw fault;
    noted.notHere(own[0].vi, own[0].en, fault);
  }
}

function noteSigning(noted, { vi, en, certificate }, { verdict, steps, path }, { anchors, intermediates }) {
  const note = (result, telling) => {
    const [inVietnamese, inEnglish] = toldBy(telling, result);
    const texts = [`${vi}: ${verdict}, ${inVietnamese}`, `${en}: ${verdict}, ${inEnglish}`];
    if (result === "untold") noted.open(...texts);
    else noted.wrong(...texts);
  };
  if (steps[0].result === "failed") note("failed", steps.slice(0, 1));
  else if (leadsToNoRoot(path.at(-1), anchors, intermediates)) {
    if (!anchors.length) return; // that was said of all
    const name = isReadable(certificate) ? shown(certificate) : "?";
    noted.open(
      `${vi}: chứng thư ${name} không dẫn đến gốc nào ở đây, của ai chỉ có sổ đăng ký của trục nói`,
      `${en}: the certificate ${name} leads to no root here, whose it is only the hub's register says`,
    );
  } else if (verdict !== "VALID") {
    note(verdict === "INDETERMINATE_REVOCATION" ? "untold" : "failed", steps);
  }
}

/**
 * Whether the path ends before a root because nobody here issued what it ends with; a signature on it that is not the
 * named issuer's is another matter.
 */
function leadsToNoRoot(last, anchors, intermediates) {
  if (!isReadable(last)) return true;
  const isNamed = [...anchors, ...intermediates].some((one) => one.subject.key === last.issuer.key);
  const isAnchor = anchors.some((one) => one.fingerprint === last.fingerprint);
  return !isAnchor && (last.issuer.key === last.subject.key || !isNamed);
}
