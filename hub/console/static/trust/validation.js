/** The steps from a certificate to a verdict at a moment (hub/domain/trust/validation.py, its steps 1 to 6). */

import { isReadable, shown, usageOf } from "./certificate.js";
import { findPath } from "./path.js";
import { statusOf } from "./revocation.js";
import { dated } from "./statement.js";

const VERDICTS = [
  "EXPIRED_AT_SIGNING", "WEAK_ALGORITHM", "UNTRUSTED_CHAIN", "UNTRUSTED_CHAIN", "REVOKED_AT_SIGNING",
  "REVOKED_AT_SIGNING",
];
const PATH = 3; // the step's place
const [DIGITAL_SIGNATURE, CONTENT_COMMITMENT] = [0, 1];

/**
 * `{verdict, steps: [{result, vi, en}], path}` of a signer's certificate; `path` as far as it was found. VALID stands
 * for whatever is right, whether a timestamp says when or not. Throws NotHereError.
 */
export async function validate(certificate, moment, { anchors, intermediates, material }) {
  const at = Math.floor(moment / 1000) * 1000; // certificates count in seconds
  if (!isReadable(certificate)) {
    const steps = VERDICTS.map(() => step("untold", "chưa xem xét", "not examined"));
    steps[PATH] = step("failed", "Không đọc được chứng thư.", "The certificate cannot be read.");
    return { verdict: VERDICTS[PATH], steps, path: [certificate] };
  }
  const path = await findPath(certificate, at, anchors, intermediates);
  const statuses = [];
  for (const [place, one] of path.certificates.slice(0, -1).entries()) {
    if (path.trusted) statuses.push(await statusOf(one, path.certificates[place + 1], at, material));
  }
  const validity = validityOf(certificate, at);
  const steps = [
    validity,
    algorithmsOf(path),
    usage(certificate),
    pathOf(path, validity.result === "passed"),
    revocationOf(path, statuses.slice(0, 1)),
    revocationOf(path, statuses.slice(1)),
  ];
  const failed = steps.findIndex((step) => step.result === "failed");
  const untold = steps.slice(PATH + 1).some((each) => each.result === "untold");
  const verdict = failed >= 0 ? VERDICTS[failed] : untold ? "INDETERMINATE_REVOCATION" : "VALID";
  return { verdict, steps, path: path.certificates };
}

/** What the steps with this result say, in both languages, without the last full stop. */
export function toldBy(steps, result) {
  const telling = steps.filter((each) => each.result === result);
  return ["vi", "en"].map((lang) => telling.map((each) => each[lang]).join(" ").replace(/\.+$/, ""));
}

const step = (result, vi, en) => ({ result, vi, en });

function validityOf({ since, until }, at) {
  const [signed, valid] = [dated(at), `${dated(since)} – ${dated(until)}`];
  const [vi, en] =
    at < since
      ? ["Ký khi chứng thư chưa có hiệu lực", "Signed before the certificate was valid"]
      : at > until
        ? ["Ký khi chứng thư đã hết hạn", "Signed after the certificate had expired"]
        : ["Ký trong thời hạn của chứng thư", "Signed while the certificate was valid"];
  const result = since <= at && at <= until ? "passed" : "failed";
  return step(result, `${vi}: ${signed}, thời hạn ${valid}.`, `${en}: ${signed}, valid ${valid}.`);
}

function algorithmsOf({ weak }) {
  const listed = weak.join(", ");
  if (!weak.length) return step("passed", "", "");
  return step(
    "failed",
    `Thuật toán hoặc khóa không được chấp nhận: ${listed}.`,
    `Algorithms or keys that are not accepted: ${listed}.`,
  );
}

function usage(certificate) {
  const bits = usageOf(certificate);
  if (!bits || bits.has(DIGITAL_SIGNATURE) || bits.has(CONTENT_COMMITMENT)) return step("passed", "", "");
  return step(
    "failed",
    "Chứng thư không được dùng để ký: KeyUsage không có digitalSignature hay nonRepudiation.",
    "The certificate may not be used for signing: KeyUsage has neither digitalSignature nor nonRepudiation.",
  );
}

function pathOf(path, inTime) {
  const names = path.certificates.map(shown).join(" → ");
  if (path.trusted) return step("passed", "", "");
  if (path.flaws.length || (inTime && !path.weak.length)) {
    const [vi, en] = [0, 1].map((at) => path.flaws.map((texts) => texts[at]).join("; "));
    const said = [`Không dẫn đến gốc tin cậy: ${vi} (${names}).`, `Leads to no trusted root: ${en} (${names}).`];
    return step("failed", ...said);
  }
  return step("untold", `Xem bước 1 và 2 (${names}).`, `See steps 1 and 2 (${names}).`);
}

function revocationOf(path, statuses) {
  if (!path.trusted) {
    return step("untold", "Chưa xem xét vì không có đường dẫn.", "Not examined, for there is no path.");
  }
  const results = statuses.map((status) => status.result);
  const [vi, en] = [0, 1].map((at) => statuses.map((status) => status.told[at]).join("; "));
  const result = results.includes("revoked") ? "failed" : results.includes("unknown") ? "untold" : "passed";
  return step(result, `Thu hồi: ${vi}.`, `Revocation: ${en}.`);
}
