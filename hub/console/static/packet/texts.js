/** Texts of a packet as the hub reads them: trimmed, `null` and empty alike, NFC where that counts. */

import { Refusal } from "./refusals.js";

const BLANK = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const ENDS = new RegExp(`^${BLANK}+|${BLANK}+$`, "g");
const BLANKS = new RegExp(`${BLANK}+`, "g");
const MARKS = /\p{M}{31}/u; // UAX #15 §13, Stream-Safe Text Format

export const strip = (text) => text.replace(ENDS, "");
export const withoutBlanks = (text) => text.replace(BLANKS, "");

/** The element's own text, trimmed and otherwise as written; "" without an element. */
export function rawText(element) {
  const text = element ? strip(element.ownText) : "";
  return text === "null" ? "" : text;
}

/** As `rawText`; throws Refusal for what cannot be normalised in fair time. */
export function safeText(element) {
  const text = rawText(element);
  if (MARKS.test(text)) {
    throw new Refusal("xml-not-well-formed", { why: "more than 30 combining marks in a row" });
  }
  return text;
}

/** As `safeText`, in NFC. */
export const textOf = (element) => safeText(element).normalize("NFC");
