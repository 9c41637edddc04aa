/** What the reading of every part shares: JSON in one form. */

import { EvidenceError } from "../faults.js";
import { byCodePoint, equal, fromUtf8, utf8 } from "../octets.js";

/** RFC 8785 of texts, integers, lists and objects with names in ASCII; throws TypeError for what it cannot write. */
export function written(value) {
  return utf8(textOf(value));
}

function textOf(value) {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new TypeError("a lone surrogate");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const names = Object.keys(value).sort(byCodePoint);
    return `{${names.map((name) => `${textOf(name)}:${textOf(value[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** The JSON of the part `name`; throws EvidenceError for any that is not what `written` gives. */
export function loaded(name, octets) {
  let value;
  let same;
  try {
    value = JSON.parse(fromUtf8(octets));
    same = equal(written(value), octets);
  } catch {
    throw new EvidenceError(`${name} không phải JSON`, `${name} is not JSON`); // with brackets in thousands
  }
  if (!same) {
    throw new EvidenceError(
      `${name} không ở dạng duy nhất (RFC 8785)`,
      `${name} is not in its one form (RFC 8785)`,
    );
  }
  return value;
}

/** The values of an object that has these members and no other. Throws EvidenceError. */
export function members(name, value, ...wanted) {
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  if (!isObject || Object.keys(value).length !== wanted.length || !wanted.every((one) => Object.hasOwn(value, one))) {
    const listed = wanted.join(", ");
    throw new EvidenceError(`${name} phải có đúng: ${listed}`, `${name} must have exactly: ${listed}`);
  }
  return wanted.map((one) => value[one]);
}

const KINDS = {
  text: (value) => typeof value === "string",
  integer: (value) => Number.isInteger(value),
  list: (value) => Array.isArray(value),
};

/** `value`, if it is of that kind: text, integer or list. Throws EvidenceError. */
export function ofType(name, value, kind) {
  if (!KINDS[kind](value)) {
    const shown = shorten(JSON.stringify(value));
    throw new EvidenceError(`${name}: ${shown} sai kiểu`, `${name}: ${shown} is of the wrong type`);
  }
  return value;
}

/** A list of texts. Throws EvidenceError. */
export const texts = (name, value) => ofType(name, value, "list").map((text) => ofType(name, text, "text"));

export const shorten = (text, most = 60) => [...String(text).slice(0, 2 * most)].slice(0, most).join("");
