/** Reads what a Signature element claims, and refuses every shape the profile does not name (XML Signature 1.1 §4). */

import { fromBase64, fromLooseBase64 } from "../octets.js";
import { readCertificate } from "../trust/certificate.js";
import { DSIG } from "./parse.js";
import { badForm } from "./refusals.js";
import { withoutBlanks } from "./texts.js";

const KEY_INFO = new Set([
  ...["KeyName", "KeyValue", "RSAKeyValue", "Modulus", "Exponent", "ECKeyValue", "NamedCurve", "PublicKey"],
  ...["X509Data", "X509IssuerSerial", "X509IssuerName", "X509SerialNumber", "X509SKI", "X509SubjectName"],
  ...["X509Certificate", "X509CRL"],
]);

const isOf = (element, name) => element.namespace === DSIG && element.local === name;

/** The signer's certificate, or null where there is none that can be read. Throws Refusal for several. */
export async function certificateOf(signature) {
  let found = [signature];
  for (const name of ["KeyInfo", "X509Data", "X509Certificate"]) {
    found = found.flatMap((each) => each.elements.filter((child) => isOf(child, name)));
  }
  if (found.length > 1) throw badForm(`X509Certificate × ${found.length}`);
  if (!found.length) return null;
  try {
    return await readCertificate(fromLooseBase64(withoutBlanks(found[0].firstText)));
  } catch (fault) {
    if (fault instanceof RangeError) return null;
    throw fault;
  }
}

/** `{signedInfo, canonicalization, method, references, value}`, none of it verified. Throws Refusal. */
export function readClaim(signature, mostReferences) {
  const [signedInfo, value, keyInfo] = childrenOf(signature, ["SignedInfo", "SignatureValue", "KeyInfo"]);
  for (const element of keyInfo.all()) {
    if (element !== keyInfo && !KEY_INFO.has(element.local)) throw badForm(`KeyInfo/${element.local}`);
  }
  const count = signedInfo.elements.length - 2;
  if (count > mostReferences) throw badForm(`Reference × ${count} > ${mostReferences}`);
  const names = ["CanonicalizationMethod", "SignatureMethod", ...Array(Math.max(1, count)).fill("Reference")];
  const [canonicalization, method, ...references] = childrenOf(signedInfo, names);
  return {
    signedInfo,
    canonicalization: algorithmOf(canonicalization),
    method: algorithmOf(method),
    references: references.map(readReference),
    value: octetsOf(value),
  };
}

function readReference(reference) {
  const uri = reference.attribute("URI");
  if (uri === undefined) throw badForm("Reference/@URI");
  let [transforms, method, value] = [[], null, null];
  if (reference.elements.length === 3) {
    let listed;
    [listed, method, value] = childrenOf(reference, ["Transforms", "DigestMethod", "DigestValue"]);
    const { length } = listed.elements;
    if (length < 1 || length > 2) throw badForm(`Transform × ${length}`);
    transforms = childrenOf(listed, Array(length).fill("Transform")).map(algorithmOf);
  } else {
    [method, value] = childrenOf(reference, ["DigestMethod", "DigestValue"]);
  }
  return { uri, transforms, digestMethod: algorithmOf(method), digest: octetsOf(value) };
}

function childrenOf(parent, names) {
  const children = parent.elements;
  if (children.length !== names.length || !children.every((child, at) => isOf(child, names[at]))) {
    throw badForm(`${parent.local}/(${children.slice(0, 8).map((child) => child.local).join(", ")})`);
  }
  return children;
}

function algorithmOf(element) {
  // Parameters (InclusiveNamespaces, XPath, a stylesheet, HMACOutputLength …) would change what the identifier means.
  childrenOf(element, []);
  return element.attribute("Algorithm") ?? "";
}

function octetsOf(element) {
  childrenOf(element, []);
  try {
    return fromBase64(withoutBlanks(element.firstText));
  } catch {
    throw badForm(`${element.local}: Base64`);
  }
}
