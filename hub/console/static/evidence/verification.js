/**
 * The numbered steps that show, with nothing but the file, what a hub has stated of a document and who signed it. They
 * are those of `agency verify` (clients/evidence), by number and meaning; what each proves, and what not:
 * docs/evidence.md.
 */

import { EvidenceError, NotHereError } from "../faults.js";
import { noteCertificates } from "./certificates.js";
import { verifyCheckpoint } from "./checkpoint.js";
import { unpack } from "./container.js";
import { examine, noteAcknowledgements, noteBelonging, noteDigest, noteFields, noteSignature } from "./content.js";
import { readFile } from "./file.js";
import { verifyInclusion } from "./merkle.js";
import { named } from "../trust/certificate.js";
import { Noted } from "./noted.js";
import { readReceipt } from "./receipt.js";
import { statementOf } from "./statements.js";
import { shorten } from "./strict.js";
import { timestampsStep } from "./timestamps.js";

/**
 * `{document, steps, pinned, keys, roots}` over an evidence file. `pinned` are the keys that count (`pinnedKeys`);
 * without them (null) the file's own do. `stampers` are the roots that count for timestamps, in the same way. Steps
 * after one that cannot be gone are missing, and `document` is empty then. `keys` and `roots` name what it
 * rests on.
 */
export async function verify(octets, pinned = null, stampers = []) {
  const steps = [];
  const rests = { pinned: pinned !== null, keys: [], roots: [...(pinned?.roots ?? []), ...stampers].map(named) };
  let evidence;
  try {
    const parts = unpack(octets);
    steps.push(new Noted().step(1, `${parts.size} phần, dạng duy nhất`, `${parts.size} parts, in their one form`));
    evidence = await readFile(parts);
    steps.push(new Noted().step(2, "mọi phần khớp với bản kê", "every part is what the manifest lists"));
  } catch (fault) {
    if (!(fault instanceof EvidenceError)) throw fault;
    const noted = new Noted();
    noted.wrong(fault.vi, fault.en);
    noted.wrong("các bước sau không xét được", "the steps after it cannot be gone");
    return { ...rests, document: "", steps: [...steps, noted.step(steps.length + 1, "", "")] };
  }
  const { document } = evidence;
  steps.push(...(await stepsOf(evidence, pinned, stampers)));
  return { ...rests, keys: namesOf(evidence.keys), document, steps };
}

async function stepsOf(evidence, pinned, stampers) {
  const steps = [keysStep(evidence.keys, pinned)];
  const { step: fourth, found } = await receiptsStep(evidence);
  const { step: fifth, head, notHere } = await checkpointStep(evidence, found);
  steps.push(fourth, fifth, await leavesStep(found, evidence.entries.length, head, notHere));
  const those = (kind) => found.map((one) => one.stated).filter((stated) => stated.kind === kind);
  const said = { accepts: those("accept"), handOvers: those("handover"), statuses: those("status") };
  const packet = await examine(evidence.packet);
  let noted = new Noted();
  const accept = await noteDigest(noted, evidence.packet, said);
  steps.push(noted.step(7, "gói tin đúng là gói trục đã nhận", "the packet is the one the hub took"));
  steps.push(fieldsStep(packet, accept, said), signatureStep(packet));
  noted = new Noted();
  noteBelonging(noted, evidence.document, said);
  const counts = `${said.handOvers.length}, ${said.statuses.length}`;
  steps.push(noted.step(10, `giao nhận, trạng thái: ${counts}`, `hand-overs, statuses: ${counts}`));
  noted = new Noted();
  const document = packet.content?.kind === "document" ? packet.content : null;
  const signings = await noteAcknowledgements(noted, evidence.acknowledgements, said, document);
  const given = evidence.acknowledgements.size;
  steps.push(noted.step(11, `${given} gói trạng thái khớp biên nhận`, `${given} status packets fit their receipts`));
  if (packet.signed && accept) {
    signings.unshift({ vi: "gói tin", en: "the packet", certificate: packet.signed.certificate, at: accept.at });
  }
  noted = new Noted();
  await noteCertificates(noted, evidence, signings, pinned?.roots ?? []);
  const signers = signings.length;
  steps.push(noted.step(12, `${signers} chữ ký, chứng thư đã xem`, `${signers} signatures, certificates looked at`));
  const thirteenth = await timestampsStep(evidence, head, notHere, stampers);
  return thirteenth ? [...steps, thirteenth] : steps;
}

function keysStep(own, pinned) {
  const noted = new Noted();
  const used = namesOf(own);
  if (pinned) {
    const trusted = namesOf(pinned);
    for (const key of used.filter((one) => !trusted.includes(one))) {
      noted.wrong(`khóa ${key} không được ghim`, `the key ${key} is not among the pinned`);
    }
    return noted.step(3, `${used.length} khóa, đều được ghim`, `${used.length} keys, all among the pinned`);
  }
  const listed = used.join(", ");
  noted.open(
    `khóa là của chính tệp này, hãy đối chiếu với trục hoặc chọn khóa tin cậy: ${listed}`,
    `the keys are the file's own, compare them with the hub's or choose keys you trust: ${listed}`,
  );
  return noted.step(3, `${used.length} khóa`, `${used.length} keys`);
}

const namesOf = ({ receipts, log }) => [...receipts.map((key) => key.thumbprint), ...log.map((key) => key.text)];

/** `found` are those whose signature is right and that state what their kind says. */
async function receiptsStep(evidence) {
  const [noted, found] = [new Noted(), []];
  for (const entry of evidence.entries) {
    const [vi, en] = [`biên nhận ở lá ${entry.index}`, `the receipt of leaf ${entry.index}`];
    try {
      const read = await readReceipt(entry.receipt, evidence.keys.receipts);
      found.push({ entry, read, stated: statementOf(entry.kind, read.statement) });
    } catch (fault) {
      if (fault instanceof EvidenceError) noted.refused(vi, en, fault);
      else noted.wrong(`${vi} không đúng (${fault.message})`, `${en} is not right (${fault.message})`);
    }
  }
  if (!evidence.entries.length) noted.wrong("không có biên nhận nào", "there is no receipt");
  const count = found.length;
  const told = [`${count} biên nhận có chữ ký đúng`, `${count} receipts, signed as they should be`];
  return { step: noted.step(4, ...told), found };
}

/** `head` is the log's, if it is right; `notHere` says why that cannot be told here. */
async function checkpointStep(evidence, found) {
  const noted = new Noted();
  const origins = [...new Set(found.map(({ read }) => read.origin))].sort();
  let [head, notHere] = [null, null];
  if (origins.length !== 1) {
    const listed = origins.join(", ") || "–";
    noted.wrong(`các biên nhận phải thuộc một sổ: ${listed}`, `the receipts should be of one log: ${listed}`);
  } else {
    try {
      // A log's own key has the log's name; others sign beside it and state no tree of their own.
      const own = evidence.keys.log.filter((key) => key.name === origins[0]);
      head = await verifyCheckpoint(evidence.checkpoint, own, origins[0]);
    } catch (fault) {
      if (fault instanceof NotHereError) {
        notHere = fault;
        noted.notHere("điểm chốt", "the checkpoint", fault);
      } else {
        noted.wrong(`điểm chốt không đúng (${fault.message})`, `the checkpoint is not right (${fault.message})`);
      }
    }
  }
  const { origin, size } = head ?? { origin: origins[0], size: "?" };
  return { step: noted.step(5, `${origin}, ${size} lá`, `${origin}, ${size} leaves`), head, notHere };
}

async function leavesStep(found, allOfThem, head, notHere) {
  const noted = new Noted();
  if (notHere) noted.notHere("vị trí trong cây", "the places in the tree", notHere);
  else if (!head) noted.wrong("không có điểm chốt đúng để đối chiếu", "there is no right checkpoint to compare with");
  for (const { entry, read } of head ? found : []) {
    try {
      await verifyInclusion(read.leaf, entry.index, head.size, entry.proof, head.root);
    } catch (fault) {
      noted.wrong(
        `lá ${entry.index} không nằm trong cây (${fault.message})`,
        `leaf ${entry.index} is not in the tree (${fault.message})`,
      );
    }
  }
  if (found.length !== allOfThem) {
    noted.wrong("có biên nhận không đúng, xem bước 4", "a receipt is not right, see step 4");
  }
  return noted.step(6, `${found.length} lá nằm trong cây`, `${found.length} leaves are in the tree`);
}

function fieldsStep({ content }, accept, { accepts }) {
  const noted = new Noted();
  if (content?.kind !== "document") {
    noted.wrong("không đọc được gói tin như một văn bản", "the packet cannot be read as a document");
  } else if (!accept) {
    noted.wrong("không có biên nhận để đối chiếu", "there is no receipt to compare with");
  } else {
    noteFields(noted, content, accept, accept === accepts[0]);
    const told = `${accept.document_id}, ${accept.sender} → ${shorten(accept.recipients.join(", "), 300)}`;
    return noted.step(8, told, told);
  }
  return noted.step(8, "", "");
}

function signatureStep(packet) {
  const noted = new Noted();
  noteSignature(noted, packet, "gói tin", "the packet");
  if (!packet.signed) return noted.step(9, "không có chữ ký nào đúng", "there is no signature that is right");
  const { certificate, algorithm } = packet.signed;
  const who = `${certificate.subject.text}, ${algorithm}, SHA-256 ${certificate.fingerprint}`;
  return noted.step(9, `chữ ký đúng: ${who}`, `the signature is right: ${who}`);
}
