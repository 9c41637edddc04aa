/** Bytes: texts, hex, Base64, digests. */

const WRITER = new TextEncoder();
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Int8Array(128).fill(-1);
for (const [value, letter] of [...ALPHABET].entries()) VALUES[letter.charCodeAt(0)] = value;

export const utf8 = (text) => WRITER.encode(text);

/** The text of UTF-8; throws TypeError for anything else. A byte order mark stays. */
export const fromUtf8 = (octets) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);

/** One character for each byte. */
export const latin1 = (octets) => Array.from(octets, (byte) => String.fromCharCode(byte)).join("");

export const hex = (octets) => Array.from(octets, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The bytes of hex digits; throws RangeError. */
export function fromHex(text) {
  if (typeof text !== "string" || !/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new RangeError("hex");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/**
 * The bytes of Base64 that other signs may stand between and that may end early, as long as what there is comes out
 * even; throws RangeError, for signs beyond ASCII too. XML Signature leaves the certificate's lines to its writer.
 */
export function fromLooseBase64(text) {
  if (/[^\0-\x7f]/.test(text)) throw new RangeError("Base64");
  const found = new Uint8Array(Math.ceil((text.length * 3) / 4));
  let [count, place, bits, pads] = [0, 0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x3d) {
      pads += 1;
      if (place >= 2 && place + pads >= 4) return found.slice(0, count);
      continue;
    }
    const value = VALUES[code];
    if (value < 0) continue;
    pads = 0;
    bits = ((bits << 6) | value) & 0xffffff;
    if (place) found[count++] = (bits >> (6 - 2 * place)) & 0xff;
    place = (place + 1) % 4;
  }
  if (place) throw new RangeError("Base64");
  return found.slice(0, count);
}

/** The bytes of padded Base64 with nothing between (RFC 4648 §4); throws RangeError. */
export function fromBase64(text) {
  if (text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new RangeError("Base64");
  return fromLooseBase64(text);
}

/** The bytes of padded Base64 in its one spelling: no bits set behind the data; throws RangeError. */
export function fromPlainBase64(text) {
  const octets = fromBase64(text);
  if (base64(octets) !== text) throw new RangeError("Base64");
  return octets;
}

/** The bytes of Base64 for URLs without padding (RFC 7515 §2) in its one spelling; throws RangeError. */
export function fromBase64Url(text) {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/");
  if (/[+/=]/.test(text)) throw new RangeError("Base64");
  return fromPlainBase64(plain + "=".repeat((4 - (plain.length % 4)) % 4));
}

export function base64(octets) {
  let text = "";
  for (let at = 0; at < octets.length; at += 0x6000) {
    text += btoa(String.fromCharCode(...octets.subarray(at, at + 0x6000)));
  }
  return text;
}

export const base64Url = (octets) => base64(octets).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

export function concat(pieces) {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export const equal = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

/** The digest by WebCrypto's name of the hash. */
export const digest = async (name, octets) => new Uint8Array(await crypto.subtle.digest(name, octets));

export const sha256 = (octets) => digest("SHA-256", octets);

/** By code points, as UTF-8 sorts. */
export function byCodePoint(one, other) {
  const [left, right] = [[...one], [...other]];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    if (left[at] !== right[at]) return left[at].codePointAt(0) - right[at].codePointAt(0);
  }
  return left.length - right.length;
}
