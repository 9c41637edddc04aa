/**
 * XML 1.0 with namespaces to a tree, of documents without DOCTYPE: what is refused here, no browser has to be asked.
 *
 * DOMParser is not used: it is not there in workers, it hides undeclared prefixes and tells errors as a document, and
 * browsers differ in both. Comments and processing instructions stay, because a signature does not count beside them.
 */

const START =
  "A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F" +
  "\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}"; // XML 1.0 §2.3
const NCNAME = `[${START}][${START}\\-.0-9\\xB7\\u0300-\\u036F\\u203F\\u2040]*`;
const QNAME = new RegExp(`(?:(${NCNAME}):)?(${NCNAME})`, "uy");
const WHOLE_NCNAME = new RegExp(`^${NCNAME}$`, "u");
const PI_TARGET = new RegExp(NCNAME, "uy");
const SPACE = /[ \t\n]*/y;
const ATTRIBUTE_VALUE = /"([^"<]*)"|'([^'<]*)'/y;
const ILLEGAL = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u; // XML 1.0 §2.2
const REFERENCE = /&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(lt|gt|amp|quot|apos));|&/g;
const NAMED = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const BLANK = "[ \\t\\n]";
const declared = (name, value) => `${BLANK}+${name}${BLANK}*=${BLANK}*(?:"${value}"|'${value}')`;
const DECLARATION = new RegExp( // XML 1.0 §2.8
  `^<\\?xml${declared("version", "1\\.0")}(?:${declared("encoding", "[A-Za-z][\\w.-]*")})?` +
    `(?:${declared("standalone", "(?:yes|no)")})?${BLANK}*\\?>`,
);
const PCHAR = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})";
const URI = new RegExp( // RFC 3986 §4.1, with brackets in the fragment as libxml2 has them
  `^(?:[A-Za-z][A-Za-z0-9+.-]*:|(?![^/?#]*:))(?://(?:[^/?#[\\]]*@)?\\[[0-9A-Fa-f:.]+\\])?` +
    `(?:${PCHAR}|/)*(?:\\?(?:${PCHAR}|[/?])*)?(?:#(?:${PCHAR}|[/?[\\]])*)?$`,
);
export const XML = "http://www.w3.org/XML/1998/namespace";
const XMLNS = "http://www.w3.org/2000/xmlns/";
const MAX_DEPTH = 2048; // as libxml2: far above what is accepted

/** Where the document is not well-formed. `why` needs no translation. */
export class SyntaxFault extends Error {
  constructor(why, line) {
    super(why);
    this.line = line;
  }
}

export class DepthFault extends SyntaxFault {}

export class Element {
  children = []; // Element, string, or Annotation
  constructor(name, prefix, local, parent) {
    Object.assign(this, { name, prefix, local, parent, namespace: "", declared: new Map(), attributes: [] });
  }

  /** The namespace a prefix stands for here, or undefined; "" is the default one. */
  namespaceOf(prefix) {
    for (let element = this; element; element = element.parent) {
      if (element.declared.has(prefix)) return element.declared.get(prefix);
    }
    return prefix === "xml" ? XML : prefix === "" ? "" : undefined;
  }

  get elements() {
    return this.children.filter((child) => child instanceof Element);
  }

  /** The last child element of that local name, or undefined. */
  child(local) {
    return this.elements.findLast((child) => child.local === local);
  }

  /** Itself and every element below, in document order. */
  *all() {
    yield this;
    for (const child of this.elements) yield* child.all();
  }

  attribute(name) {
    return this.attributes.find((one) => one.name === name)?.value;
  }

  /** The text up to the first child that is none. */
  get firstText() {
    const end = this.children.findIndex((child) => typeof child !== "string");
    return (end < 0 ? this.children : this.children.slice(0, end)).join("");
  }

  /** All text directly in it. */
  get ownText() {
    return this.children.filter((child) => typeof child === "string").join("");
  }
}

/** A comment or processing instruction. */
export class Annotation {}

/**
 * `{root, annotated, undeclared}`: `annotated` when an Annotation stands beside the root, `undeclared` the prefixes
 * without a declaration, for which `fallback(prefix)` gives the namespace. Throws SyntaxFault.
 */
export function parseXml(source, fallback = () => undefined) {
  return new Parser(source.replace(/\r\n?/g, "\n"), fallback).document();
}

class Parser {
  constructor(text, fallback) {
    Object.assign(this, { text, fallback, at: 0, undeclared: new Set(), annotated: false });
  }

  fault(why) {
    return new SyntaxFault(why, this.text.slice(0, this.at).split("\n").length);
  }

  document() {
    const illegal = ILLEGAL.exec(this.text);
    if (illegal) {
      this.at = illegal.index;
      throw this.fault("a character that XML does not have");
    }
    this.at = DECLARATION.exec(this.text)?.[0].length ?? 0;
    this.beside();
    if (this.text[this.at] !== "<") throw this.fault("there is no root");
    const root = this.tree();
    this.beside();
    if (this.at < this.text.length) throw this.fault("there is something after the root");
    return { root, annotated: this.annotated, undeclared: this.undeclared };
  }

  /** White space and annotations beside the root. */
  beside() {
    for (;;) {
      this.space();
      if (!this.text.startsWith("<!--", this.at) && !this.text.startsWith("<?", this.at)) return;
      this.annotation();
      this.annotated = true;
    }
  }

  tree() {
    const root = this.startTag(null);
    let open = root.closed ? null : root.element;
    let depth = 1;
    while (open) {
      const next = this.text.indexOf("<", this.at);
      if (next < 0) throw this.fault(`${open.name} is not closed`);
      if (next > this.at) this.addText(open, this.characters(next));
      if (this.text.startsWith("</", this.at)) {
        this.endTag(open);
        open = open.parent;
        depth -= 1;
      } else if (this.text.startsWith("<![CDATA[", this.at)) {
        this.addText(open, this.until("]]>", 9));
      } else if (this.text.startsWith("<!--", this.at) || this.text.startsWith("<?", this.at)) {
        open.children.push(this.annotation());
      } else {
        const { element, closed } = this.startTag(open);
        open.children.push(element);
        if (!closed) {
          open = element;
          depth += 1;
          if (depth > MAX_DEPTH) throw new DepthFault("too deep");
        }
      }
    }
    return root.element;
  }

  addText(element, text) {
    const { children } = element;
    if (typeof children.at(-1) === "string") children[children.length - 1] += text;
    else if (text) children.push(text);
  }

  characters(end) {
    const raw = this.text.slice(this.at, end);
    if (raw.includes("]]>")) throw this.fault("]]> in a text");
    const text = this.resolved(raw);
    this.at = end;
    return text;
  }

  resolved(raw) {
    if (!raw.includes("&")) return raw;
    return raw.replace(REFERENCE, (whole, sixteen, ten, named) => {
      if (named) return NAMED[named];
      const code = sixteen ? parseInt(sixteen, 16) : ten ? parseInt(ten, 10) : -1;
      const text = code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "\0";
      if (ILLEGAL.test(text)) throw this.fault("a reference to what is not there");
      return text;
    });
  }

  /** What stands up to `end`, after `skip` signs; goes past it. */
  until(end, skip) {
    const stop = this.text.indexOf(end, this.at + skip);
    if (stop < 0) throw this.fault(`there is no ${end}`);
    const found = this.text.slice(this.at + skip, stop);
    this.at = stop + end.length;
    return found;
  }

  annotation() {
    if (this.text.startsWith("<!--", this.at)) {
      const comment = this.until("-->", 4);
      if (comment.includes("--") || comment.endsWith("-")) throw this.fault("-- in a comment");
      return new Annotation();
    }
    const body = this.until("?>", 2);
    PI_TARGET.lastIndex = 0;
    const target = PI_TARGET.exec(body)?.[0] ?? "";
    const rest = body.slice(target.length);
    if (!target || target.toLowerCase() === "xml" || (rest && !/^[ \t\n]/.test(rest))) {
      throw this.fault("a processing instruction without a name that may be");
    }
    return new Annotation();
  }

  space() {
    SPACE.lastIndex = this.at;
    const found = SPACE.exec(this.text)[0].length;
    this.at += found;
    return found > 0;
  }

  qualified() {
    QNAME.lastIndex = this.at;
    const match = QNAME.exec(this.text);
    if (!match) throw this.fault("a name is expected");
    this.at = QNAME.lastIndex;
    if (this.text[this.at] === ":") throw this.fault("a name with several colons");
    return { name: match[0], prefix: match[1] ?? "", local: match[2] };
  }

  endTag(open) {
    this.at += 2;
    const { name } = this.qualified();
    this.space();
    if (name !== open.name || this.text[this.at] !== ">") throw this.fault(`${open.name} is closed as ${name}`);
    this.at += 1;
  }

  startTag(parent) {
    this.at += 1;
    const { name, prefix, local } = this.qualified();
    const element = new Element(name, prefix, local, parent);
    for (;;) {
      const spaced = this.space();
      if (this.text.startsWith("/>", this.at) || this.text[this.at] === ">") break;
      if (!spaced) throw this.fault("a blank is expected");
      this.attribute(element);
    }
    this.resolveNames(element);
    const closed = this.text[this.at] === "/";
    this.at += closed ? 2 : 1;
    return { element, closed };
  }

  attribute(element) {
    const { name, prefix, local } = this.qualified();
    this.space();
    if (this.text[this.at] !== "=") throw this.fault(`${name} has no value`);
    this.at += 1;
    this.space();
    ATTRIBUTE_VALUE.lastIndex = this.at;
    const match = ATTRIBUTE_VALUE.exec(this.text);
    if (!match) throw this.fault(`the value of ${name}`);
    const value = this.resolved((match[1] ?? match[2]).replace(/[\t\n]/g, " ")); // XML 1.0 §3.3.3
    this.at = ATTRIBUTE_VALUE.lastIndex;
    const declares = name === "xmlns" ? "" : prefix === "xmlns" ? local : null;
    if (declares === null) element.attributes.push({ name, prefix, local, value, namespace: "" });
    else if (element.declared.has(declares)) throw this.fault(`${name} twice`);
    else this.declare(element, declares, value);
  }

  declare(element, prefix, namespace) {
    if (!URI.test(namespace)) throw this.fault(`xmlns:${prefix} is no URI`);
    const reserved = prefix === "xmlns" || namespace === XMLNS || (prefix === "xml") !== (namespace === XML);
    if (reserved || (prefix && !namespace)) throw this.fault(`xmlns:${prefix} cannot be ${namespace}`);
    element.declared.set(prefix, namespace);
  }

  resolveNames(element) {
    element.namespace = this.namespace(element, element.prefix);
    const seen = new Set();
    for (const one of element.attributes) {
      one.namespace = one.prefix ? this.namespace(element, one.prefix) : "";
      const expanded = `${one.namespace} ${one.local}`;
      if (seen.has(expanded)) throw this.fault(`${one.name} twice`);
      seen.add(expanded);
      // xml:id 1.0 §4
      if (one.name === "xml:id" && !WHOLE_NCNAME.test(one.value)) throw this.fault("the value of xml:id");
    }
  }

  namespace(element, prefix) {
    const found = element.namespaceOf(prefix);
    if (found !== undefined) return found;
    const given = this.fallback(prefix);
    if (given === undefined) throw this.fault(`the prefix ${prefix} is not declared`);
    this.undeclared.add(prefix);
    return given;
  }
}
