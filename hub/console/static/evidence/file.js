/** The parts of an evidence file (docs/evidence.md has them as a table). */

import { EvidenceError } from "../faults.js";
import { equal, fromHex, hex, sha256 } from "../octets.js";
import { ACKNOWLEDGEMENT, CERTIFICATE, REVOCATION, TIMESTAMP } from "./container.js";
import { keysOf } from "./keys.js";
import { KINDS } from "./statements.js";
import { loaded, members, ofType, shorten, texts, written } from "./strict.js";

const FORMAT = "lienthong-evidence/1";
const [MANIFEST, RECEIPTS] = ["manifest.json", "receipts.json"];

/**
 * `{document, packet, entries: [{kind, index, receipt, proof}], checkpoint, keys, acknowledgements, certificates,
 * revocation, timestamps: [{size, checkpoint, token, proof}]}` of the parts. The manifest is compared with them;
 * nothing is known yet of who signed what. Throws EvidenceError.
 */
export async function readFile(parts) {
  const [form, document] = members(MANIFEST, loaded(MANIFEST, parts.get(MANIFEST)), "format", "document", "files");
  if (form !== FORMAT) {
    const shown = shorten(JSON.stringify(form));
    throw new EvidenceError(`định dạng ${shown}, không phải ${FORMAT}`, `the format is ${shown}, not ${FORMAT}`);
  }
  if (!/^[0-9a-f]{24}$/.test(ofType(MANIFEST, document, "text"))) {
    const shown = shorten(document);
    throw new EvidenceError(`mã văn bản ${shown}`, `the document's id is ${shown}`);
  }
  if (!equal(await manifest(document, parts), parts.get(MANIFEST))) {
    throw new EvidenceError("bản kê không khớp với các phần", "the manifest is not that of the parts");
  }
  const those = (pattern) => [...parts].filter(([name]) => pattern.test(name));
  return {
    document,
    packet: parts.get("packet.xml"),
    entries: entriesOf(parts.get(RECEIPTS)),
    checkpoint: parts.get("checkpoint"),
    keys: await keysOf(parts.get("keys.json")),
    acknowledgements: new Map(those(ACKNOWLEDGEMENT).map(([name, octets]) => [ACKNOWLEDGEMENT.exec(name)[1], octets])),
    certificates: new Map(those(CERTIFICATE)),
    revocation: new Map(those(REVOCATION)),
    timestamps: timestampsOf(those(TIMESTAMP)),
  };
}

async function manifest(document, parts) {
  const files = {};
  for (const [name, octets] of parts) if (name !== MANIFEST) files[name] = hex(await sha256(octets));
  return written({ document, files, format: FORMAT });
}

function timestampsOf(parts) {
  const bySize = Map.groupBy(parts, ([name]) => Number(TIMESTAMP.exec(name)[1]));
  const sizes = [...bySize.keys()].sort((one, other) => one - other);
  return sizes.map((size) => {
    const name = `timestamps/${size}.json`;
    const found = Object.fromEntries(bySize.get(size).map(([part, octets]) => [TIMESTAMP.exec(part)[2], octets]));
    const { checkpoint, json, token } = found;
    if (!checkpoint || !json || !token) {
      const three = `${name}, .checkpoint, .token`;
      throw new EvidenceError(`${three}: thiếu một`, `${three}: one is missing`);
    }
    const hashes = texts(name, loaded(name, json));
    if (!hashes.every((hash) => /^[0-9a-f]{64}$/.test(hash))) {
      throw new EvidenceError(`${name}: chứng minh sai`, `${name}: the proof is none`);
    }
    return { size, checkpoint, token, proof: hashes.map(fromHex) };
  });
}

function entriesOf(octets) {
  const entries = ofType(RECEIPTS, loaded(RECEIPTS, octets), "list").map(entryOf);
  if (entries.some((entry, at) => at && entry.index <= entries[at - 1].index)) {
    throw new EvidenceError("biên nhận không theo thứ tự", "the receipts are not in the order of their index");
  }
  return entries;
}

function entryOf(item) {
  const [kind, index, receipt, proof] = members(RECEIPTS, item, "kind", "index", "receipt", "proof");
  const hashes = texts(RECEIPTS, proof);
  if (!KINDS.includes(kind) || !hashes.every((hash) => /^[0-9a-f]{64}$/.test(hash))) {
    throw new EvidenceError(`${RECEIPTS}: loại hoặc chứng minh sai`, `${RECEIPTS}: a kind or proof is not one`);
  }
  ofType(RECEIPTS, index, "integer");
  return { kind, index, receipt: ofType(RECEIPTS, receipt, "text"), proof: hashes.map(fromHex) };
}
