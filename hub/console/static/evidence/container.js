/**
 * The container: a ZIP (PKWARE APPNOTE 6.3) of which every byte follows from the parts (docs/evidence.md).
 *
 * Reading takes the parts from front to back, writes the container again and compares: whatever else it might say is
 * refused.
 */

import { EvidenceError } from "../faults.js";
import { concat, latin1, utf8 } from "../octets.js";
import { shorten } from "./strict.js";

export const MAX_FILE = 256 * 1024 * 1024; // bytes
export const MAX_PARTS = 50_000;
export const REQUIRED = ["manifest.json", "packet.xml", "receipts.json", "checkpoint", "keys.json"];
export const ACKNOWLEDGEMENT = /^acknowledgements\/([0-9a-f]{24})\.xml$/;
export const CERTIFICATE = /^certificates\/(root|intermediate|signer)-[1-9][0-9]{0,3}\.pem$/;
export const REVOCATION = /^revocation\/[1-9][0-9]{0,3}\.(crl|ocsp)$/;
export const TIMESTAMP = /^timestamps\/([1-9][0-9]{0,12})\.(checkpoint|json|token)$/;

const FOLDERS = [ACKNOWLEDGEMENT, CERTIFICATE, REVOCATION, TIMESTAMP];
const VERSION = 10; // APPNOTE §4.4.3: 1.0 is enough
const DATE = (1 << 5) | 1; // APPNOTE §4.4.6: month and day, years count from 1980
const [LOCAL, CENTRAL, END] = [30, 46, 22]; // bytes: APPNOTE §4.3.7, §4.3.12, §4.3.16

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});

/** The parts by name, in their order. Throws EvidenceError for what is not what `pack` writes of them. */
export function unpack(octets) {
  if (octets.length > MAX_FILE) throw tooLarge();
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const parts = new Map();
  let at = 0;
  while (octets.length >= at + LOCAL && view.getUint32(at) === 0x504b0304) {
    if (parts.size === MAX_PARTS) throw tooLarge();
    const size = view.getUint32(at + 22, true);
    const start = at + LOCAL + view.getUint16(at + 26, true);
    const name = latin1(octets.subarray(at + LOCAL, start));
    at = start + size;
    if (!isPart(name) || parts.has(name)) {
      const shown = shorten(JSON.stringify(name));
      throw new EvidenceError(`có phần lạ hoặc lặp lại: ${shown}`, `a part is unknown or there twice: ${shown}`);
    }
    if (at > octets.length) {
      throw new EvidenceError(`tệp bị cắt cụt trong ${name}`, `the file ends within ${name}`);
    }
    parts.set(name, octets.subarray(start, at));
  }
  const missing = REQUIRED.filter((name) => !parts.has(name)).join(", ");
  if (missing) {
    throw new EvidenceError(
      `không phải tệp chứng cứ, hoặc thiếu ${missing}`,
      `no evidence file, or without ${missing}`,
    );
  }
  const again = pack(parts);
  const first = firstDifference(again, octets);
  if (first >= 0) {
    throw new EvidenceError(
      `không còn như khi được viết, từ byte ${first}`,
      `not as it was written, from byte ${first} on`,
    );
  }
  return parts;
}

/** The container of parts by name. */
function pack(parts) {
  const names = [...parts.keys()].sort(byPlace);
  const [entries, directory] = [[], []];
  let at = 0;
  for (const name of names) {
    const data = parts.get(name);
    const facts = [DATE, crc32(data), data.length, data.length, name.length];
    const head = new DataView(new ArrayBuffer(LOCAL));
    head.setUint32(0, 0x504b0304);
    head.setUint16(4, VERSION, true);
    writeFacts(head, 12, facts);
    const line = new DataView(new ArrayBuffer(CENTRAL));
    line.setUint32(0, 0x504b0102);
    line.setUint16(4, VERSION, true);
    line.setUint16(6, VERSION, true);
    writeFacts(line, 14, facts);
    line.setUint32(42, at, true);
    entries.push(new Uint8Array(head.buffer), utf8(name), data);
    directory.push(new Uint8Array(line.buffer), utf8(name));
    at += LOCAL + name.length + data.length;
  }
  const listed = concat(directory);
  const end = new DataView(new ArrayBuffer(END));
  end.setUint32(0, 0x504b0506);
  end.setUint16(8, names.length, true);
  end.setUint16(10, names.length, true);
  end.setUint32(12, listed.length, true);
  end.setUint32(16, at, true);
  return concat([...entries, listed, new Uint8Array(end.buffer)]);
}

function writeFacts(view, at, [date, crc, packed, size, length]) {
  view.setUint16(at, date, true);
  view.setUint32(at + 2, crc, true);
  view.setUint32(at + 6, packed, true);
  view.setUint32(at + 10, size, true);
  view.setUint16(at + 14, length, true);
}

export function crc32(octets) {
  let crc = 0xffffffff;
  for (let at = 0; at < octets.length; at++) crc = CRC_TABLE[(crc ^ octets[at]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const isPart = (name) => REQUIRED.includes(name) || FOLDERS.some((folder) => folder.test(name));

function place(name) {
  const own = REQUIRED.indexOf(name);
  return own >= 0 ? own : REQUIRED.length + FOLDERS.findIndex((folder) => folder.test(name));
}

function byPlace(one, other) {
  return place(one) - place(other) || (one < other ? -1 : Number(one > other));
}

function firstDifference(one, other) {
  const most = Math.min(one.length, other.length);
  let at = 0;
  while (at < most && one[at] === other[at]) at++;
  return at < most || one.length !== other.length ? at : -1;
}

const tooLarge = () =>
  new EvidenceError(
    `quá ${MAX_FILE >> 20} MiB hoặc quá ${MAX_PARTS} phần`,
    `above ${MAX_FILE >> 20} MiB or ${MAX_PARTS} parts`,
  );
