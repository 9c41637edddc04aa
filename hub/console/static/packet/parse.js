/** Bytes to a checked tree: everything that is decided before a field is read (hub/domain/edxml/parse.py). */

import { fromUtf8, hex, utf8 } from "../octets.js";
import { Annotation, DepthFault, Element, parseXml, SyntaxFault } from "../xml/parse.js";
import { Refusal } from "./refusals.js";

export const QCVN = "http://www.mic.gov.vn/TBT/QCVN_102_2016";
export const DSIG = "http://www.w3.org/2000/09/xmldsig#";
const XLINK = "http://www.w3.org/1999/xlink";
const LIMITS = { packet: 50 * 1024 * 1024, depth: 32, elements: 100_000 };
const MAX_VOCABULARY = 64 * 1024; // bytes of all different start tags

const WIDE = /^(?:ÿþ|þÿ|\0\0þÿ|<\0|\0<|\0\0\0<)/; // XML 1.0 appendix F
const OTHERS = /^(?:\x1f‹|PK|%PDF|\{|\[)/;
const MARKUP = /<(?:\?xml\s|[A-Za-z_][\w.:-]*[\s/>])/;
const DECLARATION = /^<\?xml\s[^>]*?\?>/;
const DECLARED = /\s(version|encoding)\s*=\s*["']([^"']*)["']/g;
const PROLOG = /^(?:\s+|<\?[^]*?\?>|<!--[^]*?-->)*/;
const START_TAG = /<[^/!>](?:[^>"']+|"[^"]*"|'[^']*')*/g;

/** A packet whose frame was found. Throws Refusal. */
export function parsePacket(octets) {
  if (octets.length > LIMITS.packet) throw new Refusal("too-large", { limit: LIMITS.packet });
  const source = checkedText(octets);
  checkMarkup(source, octets.length);
  let found;
  try {
    found = parseXml(source, (prefix) => (prefix === "xlink" ? XLINK : QCVN));
  } catch (fault) {
    if (fault instanceof DepthFault) throw new Refusal("xml-too-deep", { limit: LIMITS.depth });
    if (!(fault instanceof SyntaxFault)) throw fault;
    throw new Refusal("xml-not-well-formed", { why: fault.message, line: fault.line });
  }
  checkSize(found.root, 1, { elements: 0 });
  return { ...frame(found.root), wellFormed: !found.undeclared.size, beside: found.annotated };
}

/**
 * `tree` with its fields taken from `canonical`, the canonical text a signature was verified over: the whole root or
 * the envelope alone. Throws Refusal.
 */
export function signedTree(tree, canonical) {
  const { root } = parseXml(canonical);
  if (root.local === tree.root.local && root.namespace === tree.root.namespace) return { ...tree, ...frame(root) };
  return { ...tree, envelope: root, ...headers(root) };
}

/** Whether the packet reports a status: it has a StatusCode and, unlike a document, no To. */
export const isStatus = ({ messageHeader }) => !!messageHeader.child("StatusCode") && !messageHeader.child("To");

/** Whether a comment or processing instruction stands in the packet. */
export function isAnnotated(tree) {
  if (tree.beside) return true;
  for (const element of tree.root.all()) {
    if (element.children.some((child) => child instanceof Annotation)) return true;
  }
  return false;
}

function checkedText(octets) {
  checkBeginning(octets);
  let source;
  try {
    source = fromUtf8(octets).replace(/^\ufeff/, "");
  } catch {
    throw new Refusal("xml-encoding", { found: "UTF-8" });
  }
  const declaration = DECLARATION.exec(source)?.[0] ?? "";
  const declared = Object.fromEntries([...declaration.matchAll(DECLARED)].map(([, name, value]) => [name, value]));
  const encoding = declared.encoding ?? "UTF-8";
  if (!["UTF-8", "UTF8"].includes(encoding.toUpperCase())) {
    throw new Refusal("xml-encoding", { found: encoding.slice(0, 40) });
  }
  if ((declared.version ?? "1.0") !== "1.0") {
    throw new Refusal("xml-not-well-formed", { why: "XML version is not 1.0", line: 1 });
  }
  if (source.startsWith("<!DOCTYPE", PROLOG.exec(source)[0].length)) throw new Refusal("xml-doctype");
  return source;
}

/** By the bytes alone, since what is sent by mistake is no UTF-8. */
function checkBeginning(octets) {
  const whole = new TextDecoder("latin1").decode(octets).replace(/^ï»¿/, "");
  if (/^[\t-\r ]*$/.test(whole)) throw new Refusal("xml-empty");
  if (WIDE.test(whole)) throw new Refusal("xml-encoding", { found: "UTF-16/32" });
  if (whole.startsWith("<")) return;
  if (OTHERS.test(whole) || !MARKUP.test(whole)) {
    throw new Refusal("xml-not-xml", { found: hex(octets.slice(0, 4)).toUpperCase() });
  }
  throw new Refusal("xml-junk-before-declaration");
}

function checkMarkup(source, size) {
  let tags = count(source, "<");
  if (tags > LIMITS.elements) tags -= count(source, "</");
  const attributes = count(source, "=") > LIMITS.elements ? source.match(/=\s*["']/g)?.length ?? 0 : 0;
  if (tags > 2 * LIMITS.elements || attributes > LIMITS.elements) {
    throw new Refusal("xml-too-many-elements", { limit: LIMITS.elements });
  }
  if (size <= MAX_VOCABULARY) return;
  const different = [...new Set(source.match(START_TAG) ?? [])];
  if (different.reduce((sum, tag) => sum + utf8(tag).length, 0) > MAX_VOCABULARY) {
    throw new Refusal("xml-too-many-names");
  }
}

function count(source, part) {
  let found = 0;
  for (let at = source.indexOf(part); at >= 0; at = source.indexOf(part, at + part.length)) found++;
  return found;
}

function checkSize(element, depth, counted) {
  if (depth > LIMITS.depth) throw new Refusal("xml-too-deep", { limit: LIMITS.depth });
  counted.elements += 1;
  if (counted.elements > LIMITS.elements) throw new Refusal("xml-too-many-elements", { limit: LIMITS.elements });
  for (const child of element.elements) checkSize(child, depth + 1, counted);
}

function frame(root) {
  const envelopes = root.elements.filter((child) => child.local === "edXMLEnvelope");
  if (!envelopes.length) throw new Refusal("xml-no-envelope");
  if (envelopes.length > 1) throw new Refusal("xml-two-envelopes"); // two readers could take different ones
  const [envelope] = envelopes;
  if (envelope.namespace !== QCVN) throw new Refusal("xml-wrong-namespace");
  const { header, messageHeader } = headers(envelope);
  const names = ["Signature", "DigitalSignature"];
  const signatures = [...root.all()].filter((each) => names.includes(each.local));
  const files = root.child("AttachmentEncoded")?.elements.filter((each) => each.elements.length) ?? [];
  const signature = header.child("Signature");
  return { root, envelope, header, messageHeader, signature, signatures, attachments: files };
}

function headers(envelope) {
  const header = envelope.child("edXMLHeader");
  const messageHeader = header instanceof Element ? header.child("MessageHeader") : undefined;
  if (!messageHeader) throw new Refusal("xml-no-header");
  return { header, messageHeader };
}
