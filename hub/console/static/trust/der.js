/** DER (ITU-T X.690), as far as certificates, CRLs and OCSP answers need it. Whatever is not DER throws RangeError. */

import { concat, hex } from "../octets.js";

export const TAG = {
  boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, enumerated: 0x0a, utcTime: 0x17, time: 0x18,
  sequence: 0x30, set: 0x31,
};

const NOT_DER = "DER";

export class Node {
  constructor(tag, whole, content) {
    Object.assign(this, { tag, whole, content });
  }

  /** The nodes in it. */
  get nodes() {
    const found = [];
    for (let rest = this.content; rest.length; ) {
      const node = readFirst(rest);
      found.push(node);
      rest = rest.subarray(node.whole.length);
    }
    return found;
  }

  /** Throws RangeError where it is not DER at any depth. */
  check() {
    if (this.tag & 0x20) for (const node of this.nodes) node.check();
  }

  /** The nodes of one with this tag. */
  nodesOf(tag) {
    return this.expect(tag).nodes;
  }

  expect(tag) {
    if (this.tag !== tag) throw new RangeError(NOT_DER);
    return this;
  }

  get bool() {
    const { content } = this.expect(TAG.boolean);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new RangeError(NOT_DER);
    return content[0] === 0xff;
  }

  /** Of an INTEGER or ENUMERATED, of an implicit tag too. */
  get number() {
    const { content } = this;
    const [first, second] = content;
    const padded = content.length > 1 && ((first === 0 && second < 128) || (first === 255 && second > 127));
    if (!content.length || padded) throw new RangeError(NOT_DER);
    const value = BigInt(`0x${hex(content)}`);
    return first > 127 ? value - (1n << BigInt(8 * content.length)) : value;
  }

  /** The octets of a BIT STRING, whose unused bits are zero. */
  get bits() {
    const { content } = this.expect(TAG.bits);
    const [unused] = content;
    const spare = content.at(-1) & ((1 << unused) - 1);
    if (!content.length || unused > 7 || (unused && (content.length === 1 || spare))) throw new RangeError(NOT_DER);
    return content.subarray(1);
  }

  /** Whether all bits of a BIT STRING are used. */
  get isWhole() {
    return this.expect(TAG.bits).content[0] === 0;
  }

  /** Which bits of a named bit list are set. */
  get flags() {
    const octets = this.bits;
    const found = new Set();
    for (let bit = 0; bit < 8 * octets.length; bit++) {
      if (octets[bit >> 3] & (0x80 >> (bit & 7))) found.add(bit);
    }
    return found;
  }

  get oid() {
    const { content } = this.expect(TAG.oid);
    if (!content.length || content.at(-1) > 127) throw new RangeError(NOT_DER);
    const arcs = [];
    let [arc, fresh] = [0, true];
    for (const byte of content) {
      if ((fresh && byte === 0x80) || arc > 2 ** 45) throw new RangeError(NOT_DER);
      arc = arc * 128 + (byte & 127);
      fresh = byte < 128;
      if (fresh) {
        arcs.push(arc);
        arc = 0;
      }
    }
    const first = Math.min(2, Math.floor(arcs[0] / 40));
    return [first, arcs[0] - 40 * first, ...arcs.slice(1)].join(".");
  }

  /** Milliseconds since 1970 of a UTCTime or GeneralizedTime (RFC 5280 §4.1.2.5). */
  get moment() {
    const text = String.fromCharCode(...this.content);
    const match = /^(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d*[1-9])?Z$/.exec(text);
    const century = match?.[1];
    if (!match || this.tag !== (century === undefined ? TAG.utcTime : TAG.time)) throw new RangeError(NOT_DER);
    const [, , year, month, day, hour, minute, second] = match.map(Number);
    const whole = century === undefined ? year + (year < 50 ? 2000 : 1900) : Number(century) * 100 + year;
    const moment = new Date(0);
    moment.setUTCFullYear(whole, month - 1, day);
    moment.setUTCHours(hour, minute, second);
    const right = moment.getUTCMonth() === month - 1 && moment.getUTCDate() === day;
    if (!right || hour > 23 || minute > 59 || second > 59) throw new RangeError(NOT_DER);
    return moment.getTime();
  }
}

/** A node of these contents, written. */
export function written(tag, ...contents) {
  const content = concat(contents);
  const length = [];
  for (let rest = content.length; rest; rest >>>= 8) length.unshift(rest & 255);
  const head = content.length < 128 ? [content.length] : [128 + length.length, ...length];
  return concat([Uint8Array.of(tag, ...head), content]);
}

/** The one node that the octets are. */
export function readDer(octets) {
  const node = readFirst(octets);
  if (node.whole.length !== octets.length) throw new RangeError(NOT_DER);
  return node;
}

function readFirst(octets) {
  const [tag, short] = octets;
  if (octets.length < 2 || (tag & 31) === 31) throw new RangeError(NOT_DER);
  let [length, start] = [short, 2];
  if (short > 127) {
    start = 2 + (short & 127);
    if (start < 3 || start > 6 || octets.length < start) throw new RangeError(NOT_DER);
    length = octets.subarray(2, start).reduce((sum, byte) => sum * 256 + byte, 0);
    if (octets[2] === 0 || length < 128) throw new RangeError(NOT_DER);
  }
  if (octets.length < start + length) throw new RangeError(NOT_DER);
  return new Node(tag, octets.subarray(0, start + length), octets.subarray(start, start + length));
}
