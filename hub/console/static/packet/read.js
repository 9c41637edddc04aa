/** The fields of a packet that evidence compares, and its attachments (hub/domain/edxml/read.py, attachments.py). */

import { fromBase64 } from "../octets.js";
import { checkDocumentTexts, checkStatusTexts } from "./fields.js";
import { isStatus } from "./parse.js";
import { rawText, safeText, textOf } from "./texts.js";

/** `{kind: "document" | "status", …}` with what evidence compares of it. Throws Refusal. */
export function readPacket(tree) {
  const header = tree.messageHeader;
  const from = header.child("From");
  const sender = { organId: field(from, "OrganId"), inCharge: field(from, "OrganizationInCharge") };
  if (isStatus(tree)) {
    checkStatusTexts(tree);
    const about = header.child("ResponseFor");
    const responseFor = { code: field(about, "Code"), documentId: field(about, "DocumentId") };
    return { kind: "status", sender, status: field(header, "StatusCode"), responseFor };
  }
  checkDocumentTexts(tree);
  manifestOf(tree);
  const code = header.child("Code");
  const recipients = header.elements.filter((each) => each.local === "To").map((to) => field(to, "OrganId"));
  const [number, symbol] = [field(code, "CodeNumber"), field(code, "CodeNotation")];
  return { kind: "document", sender, recipients, documentId: field(header, "DocumentId"), number, symbol };
}

const field = (parent, name) => textOf(parent?.child(name));

/** What the envelope declares of the attachments, in its order. */
export function manifestOf(tree) {
  const body = tree.envelope.child("edXMLBody");
  const manifest = body?.child("edXMLManifest") ?? body?.child("Manifest"); // the vendor's library reads this name too
  const references = manifest?.elements.filter((each) => each.local === "Reference") ?? [];
  return references.map(described);
}

/** The attachments in their order. `octets` are the bytes after Base64, null where that is none. */
export function attachmentsOf(tree) {
  return tree.attachments.map((element) => {
    return { ...described(element), octets: decoded(rawText(element.child("ContentTransferEncoded"))) };
  });
}

function described(element) {
  return {
    contentId: plainContentId(field(element, "ContentId")),
    contentType: field(element, "ContentType"),
    name: safeText(element.child("AttachmentName")),
    description: field(element, "Description"),
  };
}

/** The id without `cid:`, of which the vendor's library adds one more at every rebuilding. */
export const plainContentId = (text) => text.replace(/^(?:cid:)*/, "");

function decoded(text) {
  try {
    return fromBase64(text.replace(/[ \t\r\n]/g, "").replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return null;
  }
}
