/** Texts of a packet as the hub reads them: trimmed, `null` and empty alike, NFC where that counts. */

import { Refusal } from "./refusals.js";

const BLANK = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const IS_BLANK = new RegExp(BLANK);
const BLANKS = new RegExp(`${BLANK}+`, "g");
const MARKS = /\p{M}{31}/u; // UAX #15 §13, Stream-Safe Text Format

/** From both ends: a pattern would try again at every blank between. */
export function strip(text) {
  let [from, to] = [0, text.length];
  while (from < to && IS_BLANK.test(text[from])) from++;
  while (from < to && IS_BLANK.test(text[to - 1])) to--;
  return text.slice(from, to);
}

export const withoutBlanks = (text) => text.replace(BLANKS, "");

/** The element's own text, trimmed and otherwise as written; "" without an element. */
export function rawText(element) {
  const text = element ? strip(element.ownText) : "";
  return text === "null" ? "" : text;
}

/** As `rawText`; throws Refusal for what cannot be normalised in fair time. */
export const safeText = (element) => safe(rawText(element));

/** With the texts of all elements inside, checked as in `safeText`. */
export const wholeText = (element) => safe([...element.all()].map((each) => each.ownText).join(""));

function safe(text) {
  if (MARKS.test(text)) {
    throw new Refusal("xml-not-well-formed", { why: "more than 30 combining marks in a row" });
  }
  return text;
}

/** As `safeText`, in NFC. */
export const textOf = (element) => safeText(element).normalize("NFC");
