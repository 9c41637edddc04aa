/** What packets and receipts say of each other: digests, fields, signers, and that all is about one document. */

import { hex, sha256 } from "../octets.js";
import { canonicalCode, canonicalDocumentId, issuerOf } from "../packet/numbering.js";
import { plainNumber, plainSymbol, splitCode } from "../packet/numbering.js";
import { parsePacket } from "../packet/parse.js";
import { readPacket } from "../packet/read.js";
import { Refusal } from "../packet/refusals.js";
import { verifySignature } from "../packet/signature.js";
import { shorten } from "./strict.js";

/**
 * Reads the packet and verifies its signature: `{refusal, signed, unsigned, content}`, each where there is one. A
 * refusal is kept, with what can be read all the same. `content` is from the bytes the signature covers, if any.
 */
export async function examine(octets) {
  const found = {};
  try {
    let tree = parsePacket(octets);
    try {
      const verified = await verifySignature(tree);
      if (verified.unsigned) found.unsigned = verified.unsigned;
      else found.signed = verified;
    } catch (fault) {
      if (!(fault instanceof Refusal)) throw fault;
      found.refusal = fault;
    }
    tree = found.signed?.tree ?? tree;
    found.content = readPacket(tree);
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    return { refusal: fault };
  }
  return found;
}

/** The acceptance of this packet, or undefined; notes whether there is one, and any of another packet. */
export async function noteDigest(noted, packet, { accepts }) {
  const digest = hex(await sha256(packet));
  const accept = accepts.find((one) => one.sha256 === digest);
  if (!accepts.length) {
    noted.wrong("không có biên nhận tiếp nhận nào đúng", "there is no acceptance among the right receipts");
  } else if (!accept) {
    noted.wrong(
      `SHA-256 của gói tin là ${digest}, biên nhận ghi ${accepts[0].sha256}`,
      `the packet's SHA-256 is ${digest}, the receipt has ${accepts[0].sha256}`,
    );
  }
  for (const other of accept ? accepts.filter((one) => one.sha256 !== digest) : []) {
    const codes = shorten(other.recipients.join(", "), 200);
    noted.open(
      `gói tin gửi thêm cho ${codes} không có trong tệp`,
      `the packet sent on to ${codes} is not in the file`,
    );
  }
  return accept;
}

/** Whether the packet says what its acceptance does; a later one than the first has only recipients that were added. */
export function noteFields(noted, content, accept, isFirst) {
  const compare = (vi, en, inPacket, stated) => {
    if (inPacket === stated) return;
    const [has, said] = [shorten(inPacket, 200), shorten(stated, 200)];
    noted.wrong(
      `${vi}: gói tin ghi ${has}, biên nhận ghi ${said}`,
      `${en}: the packet has ${has}, the receipt ${said}`,
    );
  };
  const sender = canonicalCode(content.sender.organId);
  compare("nơi gửi", "sender", sender, accept.sender);
  compare("mã văn bản", "DocumentId", canonicalDocumentId(content.documentId), accept.document_id);
  const named = new Set(content.recipients.map(canonicalCode));
  const stated = new Set(accept.recipients);
  const within = [...stated].every((code) => named.has(code));
  if (!stated.size || !within || (isFirst && stated.size !== named.size)) {
    compare("nơi nhận", "recipients", [...named].sort().join(", "), [...stated].sort().join(", "));
  }
  const issuer = issuerOf(content);
  if (issuer !== accept.issuer && issuer === sender && content.sender.inCharge) {
    // Only the directory tells whether the symbol is that of the superior body (exchange rules 5).
    noted.open(
      `cơ quan ban hành ${accept.issuer} do danh mục của trục cho biết từ «${content.sender.inCharge}»`,
      `the issuer ${accept.issuer} follows by the hub's directory from “${content.sender.inCharge}”`,
    );
  } else {
    compare("cơ quan ban hành", "issuer", issuer, accept.issuer);
  }
}

/** `vi` and `en` name the packet. */
export function noteSignature(noted, { refusal, unsigned, signed }, vi, en) {
  if (refusal) noted.refused(vi, en, refusal);
  else if (unsigned) {
    noted.open(
      `${vi} không ký số (${unsigned}): chỉ có biên nhận của trục nói là của ai`,
      `${en} is not signed (${unsigned}): whose it is, only the hub's receipt says`,
    );
  } else if (signed.sha1) {
    noted.open(
      `${vi} ký bằng SHA-1, nay không còn đủ mạnh`,
      `${en} is signed with SHA-1, which is too weak today`,
    );
  }
}

/** Whether everything is about this document, and about those who take part in it. */
export function noteBelonging(noted, document, { accepts, handOvers, statuses }) {
  const recipients = new Set(accepts.flatMap((one) => one.recipients));
  const senders = new Set(accepts.map((one) => one.sender));
  const taken = new Set([
    ...accepts.flatMap((one) => one.recipients.map((code) => `${one.sha256} ${code}`)),
    ...statuses.map((one) => `${one.sha256} ${one.addressee}`),
  ]);
  const known = new Set([...accepts, ...statuses].map((one) => one.sha256));
  for (const { document: about } of [...accepts, ...handOvers, ...statuses]) {
    if (about !== document) {
      noted.wrong(`một biên nhận về văn bản ${about}`, `a receipt is about the document ${about}`);
    }
  }
  for (const { recipient, sha256: digest } of handOvers) {
    if (!known.has(digest)) {
      noted.open(
        `${recipient} đã nhận một gói tin không có biên nhận ở đây`,
        `${recipient} keeps a packet whose receipt is not here`,
      );
    } else if (!taken.has(`${digest} ${recipient}`)) {
      noted.wrong(`${recipient} không phải nơi nhận`, `${recipient} is no recipient`);
    }
  }
  for (const { status, sender, addressee } of statuses) {
    const back = recipients.has(sender) && senders.has(addressee);
    if (!back && !(senders.has(sender) && recipients.has(addressee))) {
      noted.wrong(
        `trạng thái ${status} từ ${sender} đến ${addressee}, không phải giữa nơi gửi và nơi nhận`,
        `the status ${status} from ${sender} to ${addressee} is not between sender and recipient`,
      );
    }
  }
}

/** Whether each status packet is what its receipt says; gives those who signed one: `{vi, en, certificate, at}`. */
export async function noteAcknowledgements(noted, packets, { statuses }, document) {
  const signings = [];
  const byReport = new Map(statuses.map((status) => [status.report, status]));
  for (const [report, octets] of [...packets].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const [vi, en] = [`gói trạng thái ${report}`, `the status packet ${report}`];
    const status = byReport.get(report);
    if (!status || hex(await sha256(octets)) !== status.sha256) {
      noted.wrong(`${vi} không phải của biên nhận nào`, `${en} is that of no receipt`);
      continue;
    }
    const packet = await examine(octets);
    noteSignature(noted, packet, vi, en);
    if (packet.signed) signings.push({ vi, en, certificate: packet.signed.certificate, at: status.at });
    noteAcknowledgement(noted, packet.content, status, document, vi, en);
  }
  const missing = [...byReport.keys()].filter((report) => !packets.has(report)).length;
  if (missing) {
    noted.open(
      `${missing} gói trạng thái không có trong tệp: chỉ có biên nhận của trục`,
      `${missing} status packets are not in the file: only the hub's receipts are`,
    );
  }
  return signings;
}

function noteAcknowledgement(noted, content, status, document, vi, en) {
  if (content?.kind !== "status") {
    noted.wrong(`${vi} không đọc được như gói trạng thái`, `${en} cannot be read as a status packet`);
    return;
  }
  const saidBy = canonicalCode(content.sender.organId);
  if (saidBy !== status.sender || content.status !== status.status) {
    noted.wrong(
      `${vi} là ${content.status} của ${saidBy}, biên nhận ghi ${status.status} của ${status.sender}`,
      `${en} is ${content.status} by ${saidBy}, the receipt has ${status.status} by ${status.sender}`,
    );
  }
  if (document && !isAbout(content.responseFor, document)) {
    noted.wrong(`${vi} trả lời văn bản khác`, `${en} answers another document`);
  }
}

/** By the DocumentId or else by the number, as the hub looks it up (exchange rules 6). */
function isAbout(named, document) {
  if (canonicalDocumentId(named.documentId) === canonicalDocumentId(document.documentId)) return true;
  const [number, symbol] = splitCode(named.code);
  return plainNumber(number) === plainNumber(document.number) && symbol === plainSymbol(document.symbol);
}

