/**
 * Verifies a packet's own signature (exchange rules 3; XML Signature 1.1 §3.2): the steps of
 * hub/domain/signature/verify.py, by their numbers. SHA-1 is accepted, and told.
 */

import { digest, equal, utf8 } from "../octets.js";
import { canonical } from "../xml/c14n.js";
import { digestOf, ENVELOPED, EXCLUSIVE, INCLUSIVE, isRight, keyOf, methodOf } from "./algorithms.js";
import { certificateOf, readClaim } from "./form.js";
import { DSIG, isAnnotated, QCVN, signedTree } from "./parse.js";
import { attachmentsOf, manifestOf, plainContentId } from "./read.js";
import { badForm, Refusal } from "./refusals.js";
import { strip } from "./texts.js";

const NCNAME = /^[\p{L}\p{Nl}\p{No}_][\p{L}\p{N}_.-]*$/u;
const FIELDS = ["ContentId", "ContentType", "Description", "AttachmentName"]; // of the manifest

/**
 * `{unsigned: why}`, or `{certificate, algorithm, sha1, tree}` with the fields from the bytes that were verified.
 * Takes the Signature out of `tree`. Throws Refusal.
 */
export async function verifySignature(tree) {
  if (!tree.wellFormed) return { unsigned: "not-namespace-well-formed" }; // (0)
  const real = tree.signatures.some((each) => each.namespace === DSIG && each.local === "Signature");
  if (!real) return { unsigned: tree.signatures.length ? "placeholder" : "no-signature" }; // (1)
  const { signature } = tree;
  if (tree.signatures.length !== 1 || !signature) throw new Refusal("signature-misplaced"); // (2)
  const certificate = await certificateOf(signature); // (3)
  if (!certificate) return { unsigned: "placeholder" };
  const key = await keyOf(certificate);
  if (isAnnotated(tree)) throw new Refusal("signature-comment"); // (4)
  const claim = readClaim(signature, 1 + tree.attachments.length); // (5)
  checkIds(tree.root);
  const method = methodOf(claim.method, key); // (6)
  const digests = claim.references.map((reference) => digestOf(reference.digestMethod));
  const signedInfo = canonicalSignedInfo(claim); // while it stands where it was signed
  const [first, ...others] = claim.references;
  const { form, covered } = withoutSignature(tree, signature, first); // (7)
  if (!equal(await digest(digests[0], utf8(covered)), first.digest)) {
    throw wrongDigest(form === "fast" ? "envelope" : "packet"); // (8)
  }
  const signed = signedTree(tree, covered);
  const files = form === "fast" || others.length ? attachmentsOf(tree) : [];
  if (form === "fast") {
    checkBesideEnvelope(tree); // (9)
    checkManifest(signed, files);
  }
  if (form === "fast" || others.length) await checkFiles(files, others, digests.slice(1)); // (10)
  if (!(await isRight(method, key, claim.value, utf8(signedInfo)))) throw new Refusal("signature-value"); // (11)
  const sha1 = [method.hash, ...digests].includes("SHA-1");
  return { certificate, algorithm: method.name, sha1, tree: signed };
}

function checkIds(root) {
  const seen = new Set();
  for (const element of root.all()) {
    for (const { local, value } of element.attributes.filter((one) => /^[Ii][Dd]$/.test(one.local))) {
      if (seen.has(value)) throw badForm(`${local}="${value}" × 2`);
      seen.add(value);
    }
  }
}

/** The form, and the canonical text that Reference 1 covers; the Signature is out of the tree then. */
function withoutSignature(tree, signature, { uri, transforms }) {
  const named = transforms.join(" ");
  if (uri === "") {
    // Without a canonicalisation of its own the transforms end in inclusive C14N (XML Signature 1.1 §4.4.3.2).
    if (![ENVELOPED, `${ENVELOPED} ${INCLUSIVE}`, `${ENVELOPED} ${EXCLUSIVE}`].includes(named)) {
      throw badForm(`Transform: ${named}`);
    }
    takeOut(signature);
    return { form: "whole", covered: canonicalOf(tree.root, transforms.at(-1) === EXCLUSIVE) };
  }
  const identifier = tree.envelope.attribute("Id") ?? "";
  if (!NCNAME.test(identifier) || uri !== `#${identifier}`) throw badForm(`Reference[1]/@URI="${uri}"`);
  if (named !== `${ENVELOPED} ${EXCLUSIVE}`) throw badForm(`Transform: ${named}`);
  takeOut(signature);
  return { form: "fast", covered: canonicalOf(tree.envelope, true) };
}

/** The text after it stays where it was (XML Signature 1.1 §6.6.4). */
function takeOut(element) {
  const { children } = element.parent;
  children.splice(children.indexOf(element), 1);
}

function canonicalSignedInfo({ signedInfo, canonicalization }) {
  if (canonicalization !== EXCLUSIVE && canonicalization !== INCLUSIVE) {
    throw badForm(`CanonicalizationMethod: ${canonicalization}`);
  }
  return canonicalOf(signedInfo, canonicalization === EXCLUSIVE);
}

function canonicalOf(element, exclusive) {
  try {
    return canonical(element, { exclusive });
  } catch (fault) {
    throw fault instanceof RangeError ? badForm("xmlns") : fault;
  }
}

/** What stands outside the signed envelope is one list of attachments, each with each of its fields once. */
function checkBesideEnvelope(tree) {
  const beside = tree.root.elements.filter((child) => child !== tree.envelope);
  const [list] = beside;
  const same = (one, other) => one.length === other.length && one.every((each, at) => each === other[at]);
  if (beside.length > 1 || (list && (!same(list.elements, tree.attachments) || strip(list.firstText)))) {
    throw badForm(`${tree.root.local}/*`);
  }
  // A reader that minds namespaces would not find what one that does not would.
  const outside = list ? [tree.root, ...list.all()] : [];
  if (outside.some((element) => element.namespace !== QCVN)) throw badForm("xmlns");
  for (const attachment of tree.attachments) {
    const names = attachment.elements.map((field) => field.local);
    const more = names.filter((name) => !FIELDS.includes(name));
    const nested = attachment.elements.some((field) => field.elements.length);
    if (new Set(names).size !== names.length || more.length !== 1 || nested) {
      throw badForm(`${attachment.local}/(${names.join(", ")})`);
    }
  }
}

function checkManifest(signed, files) {
  const entries = manifestOf(signed);
  const declared = new Map(entries.map((entry) => [entry.contentId, entry]));
  const ids = (list) => list.map((one) => one.contentId).sort().join("\n");
  if (declared.size !== entries.length || ids(entries) !== ids(files)) throw mismatch("ContentId");
  for (const file of files) {
    const entry = declared.get(file.contentId);
    const same = ["name", "contentType", "description"].every((field) => file[field] === entry[field]);
    if (!same) throw mismatch(entry.name);
  }
}

async function checkFiles(files, references, digests) {
  const byId = new Map(files.map((file) => [file.contentId, file]));
  if (byId.size !== files.length) throw mismatch("ContentId");
  const covered = references.map(({ uri, transforms }) => {
    if (!uri.startsWith("cid:") || transforms.length) throw badForm(`Reference/@URI="${uri}"`);
    return plainContentId(uri);
  });
  if ([...covered].sort().join("\n") !== [...byId.keys()].sort().join("\n")) throw badForm("Reference: cid:");
  for (const [at, contentId] of covered.entries()) {
    const { name, octets } = byId.get(contentId);
    if (octets === null || !equal(await digest(digests[at], octets), references[at].digest)) throw wrongDigest(name);
  }
}

const wrongDigest = (what) => new Refusal("signature-digest", { what });
const mismatch = (what) => new Refusal("signature-attachment-mismatch", { what });
