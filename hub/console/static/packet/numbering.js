/** Codes, numbers and symbols as the hub compares them (hub/domain/agency.py, numbering.py; exchange rules 1 and 5). */

import { strip } from "./texts.js";

const LONG_TOP = /^000\.00\.00\.([A-Z][A-Z0-9][0-9])$/;
const DATE_PART = /^([0-9]{4})[/-]([0-9]{1,2})[/-]([0-9]{1,2})$/;
const PARTY_CODE = /^([0-9]+[A-Za-z]?)-([^/]+\/.+)$/;

const plain = (text) => strip(text.normalize("NFC"));

/** The code trimmed, and short at level 1 (`000.00.00.G22` → `G22`). */
export function canonicalCode(code) {
  return plain(code).replace(LONG_TOP, "$1");
}

/** The spelling under which a DocumentId is compared. */
export function canonicalDocumentId(text) {
  const parts = text.normalize("NFC").split(",").map(strip);
  if (parts.length === 1) return parts[0];
  parts[0] = canonicalCode(parts[0]);
  if (parts.length === 3) {
    parts[1] = parts[1].replace(DATE_PART, (_, year, month, day) => {
      return `${year}/${month.padStart(2, "0")}/${day.padStart(2, "0")}`;
    });
  }
  return parts.join(",");
}

/** The number without leading zeros; a letter after it stays. */
export function plainNumber(number) {
  const text = plain(number);
  const short = text.replace(/^0+/, "");
  return short === text || /^\p{Nd}/u.test(short) ? short : `0${short}`;
}

/** The symbol without the year that legal documents write before it. */
export const plainSymbol = (symbol) => plain(symbol).replace(/^\/+/, "").replace(/^[0-9]{4}\/(?=.)/, "");

/** Number and plain symbol of a code written as one text. */
export function splitCode(code) {
  const text = plain(code);
  const party = PARTY_CODE.exec(text);
  if (party) return [party[1], party[2]];
  const [number, ...rest] = text.split("/");
  return /^\p{Nd}/u.test(number) ? [strip(number), plainSymbol(rest.join("/"))] : ["", text];
}

/** The issuer as far as the packet alone tells it. */
export function issuerOf(content) {
  const symbol = plainSymbol(content.symbol);
  const holder = ["TTg", "CP"].find((one) => symbol.endsWith(`-${one}`) || symbol.startsWith(`${one}-`));
  return holder ?? canonicalCode(content.sender.organId);
}
