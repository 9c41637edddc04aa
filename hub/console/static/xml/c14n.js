/**
 * Canonical XML 1.0 and Exclusive XML Canonicalization 1.0, both without comments, of an element of a parsed tree.
 *
 * Relative namespace names have no canonical form (C14N 1.0 §1.3) and are refused.
 */

import { byCodePoint } from "../octets.js";
import { Element, XML } from "./parse.js";

const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const IN_TEXT = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;" };
const IN_VALUE = { "&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;" };

/** The canonical text; throws RangeError. In the inclusive form the element takes along what is in scope above it. */
export function canonical(element, { exclusive }) {
  const pieces = [];
  write(element, new Map([["", ""]]), exclusive, true, pieces);
  return pieces.join("");
}

/** `written` are the prefixes in force in what has been written above. */
function write(element, written, exclusive, isTop, pieces) {
  for (const namespace of element.declared.values()) {
    if (namespace && !ABSOLUTE.test(namespace)) throw new RangeError(`xmlns ${namespace}`);
  }
  const scope = new Map(written);
  pieces.push("<", element.name);
  for (const prefix of [...prefixes(element, exclusive, isTop)].sort(byCodePoint)) {
    const namespace = namespaceIn(element, prefix);
    if (prefix === "xml" || scope.get(prefix) === namespace) continue;
    scope.set(prefix, namespace);
    pieces.push(prefix ? ` xmlns:${prefix}="` : ' xmlns="', escaped(namespace, IN_VALUE), '"');
  }
  const attributes = isTop && !exclusive ? withInherited(element) : [...element.attributes];
  for (const { name, value } of attributes.sort(byName)) pieces.push(" ", name, '="', escaped(value, IN_VALUE), '"');
  pieces.push(">");
  for (const child of element.children) {
    if (child instanceof Element) write(child, scope, exclusive, false, pieces);
    else if (typeof child === "string") pieces.push(escaped(child, IN_TEXT));
  }
  pieces.push("</", element.name, ">");
}

/** Those whose declarations may have to be written here. */
function prefixes(element, exclusive, isTop) {
  if (exclusive) return new Set([element.prefix, ...element.attributes.map((one) => one.prefix).filter(Boolean)]);
  const found = new Set(element.declared.keys());
  for (let above = isTop ? element.parent : null; above; above = above.parent) {
    for (const prefix of above.declared.keys()) found.add(prefix);
  }
  return found;
}

/** A prefix that nobody declares has the namespace its element was given. */
function namespaceIn(element, prefix) {
  const users = [element, ...element.attributes];
  return element.namespaceOf(prefix) ?? users.find((one) => one.prefix === prefix)?.namespace ?? "";
}

/** C14N 1.0 §2.4: attributes of the xml namespace come along from above. */
function withInherited(element) {
  const found = [...element.attributes];
  for (let above = element.parent; above; above = above.parent) {
    for (const one of above.attributes) {
      if (one.namespace === XML && !found.some((own) => own.name === one.name)) found.push(one);
    }
  }
  return found;
}

function byName(one, other) {
  return byCodePoint(one.namespace, other.namespace) || byCodePoint(one.local, other.local);
}

function escaped(text, signs) {
  return text.replace(signs === IN_TEXT ? /[&<>\r]/g : /[&<"\t\n\r]/g, (sign) => signs[sign]);
}
