/** By when the receipts stood in the log, as timestamping authorities say, who are neither the hub nor a party. */

import { EvidenceError, NotHereError } from "../faults.js";
import { named } from "../trust/certificate.js";
import { dated } from "../trust/statement.js";
import { rootsIn, verifyToken } from "../trust/token.js";
import { materialOf } from "./certificates.js";
import { verifyCheckpoint } from "./checkpoint.js";
import { verifyConsistency } from "./merkle.js";
import { Noted } from "./noted.js";

/**
 * Step 13. `trusted` are the roots of timestamps that count; without any, the file's own do and are told. Null where
 * there is nothing to be judged: no timestamp, and nobody who names roots for one.
 */
export async function timestampsStep(evidence, head, notHere, trusted) {
  const { timestamps, entries } = evidence;
  const [noted, told] = [new Noted(), []];
  if (!timestamps.length) {
    if (!trusted.length) return null;
    noted.open("lúc nào, chỉ có trục nói", "only the hub says when");
  }
  let proven = 0;
  for (const one of timestamps) {
    const [vi, en] = [`dấu thời gian ở cỡ ${one.size}`, `the timestamp at size ${one.size}`];
    try {
      if (notHere) throw notHere;
      await checkTree(evidence, one, head);
      const stamp = await stampOf(noted, evidence, one, trusted);
      const count = entries.filter(({ index }) => proven <= index && index < one.size).length;
      const when = dated(stamp.at);
      proven = one.size;
      const { by } = stamp;
      told.push([`${count} biên nhận có trước ${when}, theo ${by}`, `${count} receipts by ${when}, says ${by}`]);
    } catch (fault) {
      if (fault instanceof NotHereError) noted.notHere(vi, en, fault);
      else if (fault instanceof EvidenceError) noted.refused(vi, en, fault);
      else {
        const why = fault.message;
        noted.wrong(`${vi}: điểm chốt không đúng (${why})`, `${en}: its checkpoint is not right (${why})`);
      }
    }
  }
  const late = entries.filter(({ index }) => index >= proven).length;
  if (late && timestamps.length) {
    told.push([`${late} biên nhận chưa có dấu thời gian`, `${late} receipts without a timestamp yet`]);
  }
  if (!told.length) told.push(["không có dấu thời gian nào", "there is no timestamp"]);
  return noted.step(13, ...[0, 1].map((at) => told.map((texts) => texts[at]).join("; ")));
}

/** That the log's key signed the stamped checkpoint, and that the file's tree grew out of it. */
async function checkTree({ keys }, one, head) {
  if (!head) throw new Error("there is no right checkpoint of the file to compare with");
  const own = keys.log.filter((key) => key.name === head.origin);
  const found = await verifyCheckpoint(one.checkpoint, own, head.origin);
  if (found.size !== one.size) throw new Error(`it is of ${found.size} leaves`);
  await verifyConsistency(found, head, one.proof);
}

async function stampOf(noted, { revocation }, { token, checkpoint }, trusted) {
  const anchors = trusted.length ? trusted : await rootsIn(token);
  const stamp = await verifyToken(token, checkpoint, anchors, materialOf(revocation));
  if (!trusted.length) {
    const own = named(stamp.path.at(-1));
    noted.open(
      `dấu thời gian chỉ đúng theo lời của chính tệp này, hãy đối chiếu gốc hoặc chọn gốc tin cậy: ${own}`,
      `the timestamp is right by the file's own word, compare its root or choose roots you trust: ${own}`,
    );
  }
  for (const [vi, en] of stamp.untold) noted.open(vi, en);
  return stamp;
}
