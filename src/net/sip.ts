/**
 * Where the Call-ID of a SIP message lies: RFC 3261 section 20.8.
 *
 *     INVITE sip:b@example.org SIP/2.0
 *     Call-ID: 843817637684230@998sdasdh09       or i: in the compact form
 *
 * Read as ct_sip_get_header() in nf_conntrack_sip.c and get_callid() in ip_vs_pe_sip.c read it, with what they are
 * peculiar about, so that what finds its server beside the kernel finds it here: a header that follows two bare
 * newlines is not seen, and what only begins like the header ends the search.
 */

/** Longer ones are refused: IP_VS_PEDATA_MAXLEN. */
const CALL_ID_MAX_LENGTH = 255;

const NAME = "call-id";
const COMPACT_NAME = "i";

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const BLANK = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const AT = 0x40;

/** No place in the message. */
const NOWHERE = -1;

/** Characters of a "word" in RFC 3261's grammar, that of the kernel's character set, Latin-1. */
const IS_WORD = new Uint8Array(256);
const IS_LETTER = new Uint8Array(256);
for (let code = 0; code < 256; code++) {
  const character = String.fromCharCode(code);
  // Of Latin-1's upper part all but the multiplication and division signs: lib/ctype.c.
  if (/[a-z]/i.test(character) || (code >= 0xc0 && code !== 0xd7 && code !== 0xf7)) {
    IS_LETTER[code] = 1;
  }
  if (IS_LETTER[code] === 1 || /[0-9\-.!%*_+`'~()<>:\\"/[\]?{}]/.test(character)) {
    IS_WORD[code] = 1;
  }
}

/** One object is reused for every message: nothing here allocates. */
export class CallIdFinder {
  /** Where the Call-ID that was found last begins, as an offset in the bytes. */
  start = 0;
  length = 0;

  /** Whether the message in [start, end) has a usable Call-ID. */
  find(bytes: Uint8Array, start: number, end: number): boolean {
    let from = start;
    while (from < end) {
      const value = valueFrom(bytes, from, end);
      if (value === NOWHERE) return false;
      const length = callIdLength(bytes, value, end);
      if (length > 0) return this.#take(bytes, value, length, end);
      // An empty one: the kernel goes on from here, and adds the value's offset in the whole message.
      from += value - start;
    }
    return false;
  }

  #take(bytes: Uint8Array, start: number, length: number, end: number): boolean {
    this.start = start;
    this.length = length;
    return (
      length <= CALL_ID_MAX_LENGTH && start + length < end && isNewline(bytes[start + length]!)
    );
  }
}

/** Where the next such header's value begins, or NOWHERE. The message's first line is none. */
function valueFrom(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    if (!isNewline(bytes[at]!)) continue;
    at = pastNewline(bytes, at, end);
    if (at >= end) return NOWHERE;
    const nameLength = nameLengthAt(bytes, at, end);
    if (nameLength === 0) continue;
    const colon = pastBlanks(bytes, at + nameLength, end);
    if (colon === NOWHERE || bytes[colon] !== COLON) return NOWHERE;
    return pastBlanks(bytes, colon + 1, end);
  }
  return NOWHERE;
}

/** Behind CR, LF or CR LF. */
function pastNewline(bytes: Uint8Array, at: number, end: number): number {
  const next = at + 1;
  const isPair = bytes[at] === CARRIAGE_RETURN && next < end && bytes[next] === LINE_FEED;
  return isPair ? next + 1 : next;
}

/** The length of the header's name, or 0 when this is another's. The compact form must not go on with a letter. */
function nameLengthAt(bytes: Uint8Array, at: number, end: number): number {
  if (isText(bytes, at, end, NAME)) return NAME.length;
  const next = at + COMPACT_NAME.length;
  const isCompact =
    next < end && isText(bytes, at, end, COMPACT_NAME) && IS_LETTER[bytes[next]!] === 0;
  return isCompact ? COMPACT_NAME.length : 0;
}

/** Whether `text`, in small letters, stands there in whatever letters. */
function isText(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  if (at + text.length > end) return false;
  for (let index = 0; index < text.length; index++) {
    const byte = bytes[at + index]!;
    const isCapital = byte >= 0x41 && byte <= 0x5a;
    if ((isCapital ? byte | 0x20 : byte) !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** Where something else follows, maybe on a continuation line; NOWHERE at the end of the header or message. */
function pastBlanks(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    if (isBlankOrTab(bytes[at]!)) continue;
    if (!isNewline(bytes[at]!)) return at;
    at = pastNewline(bytes, at, end);
    if (at >= end || !isBlankOrTab(bytes[at]!)) return NOWHERE;
    while (at < end && isBlankOrTab(bytes[at]!)) at++;
    return at < end ? at : NOWHERE;
  }
  return NOWHERE;
}

/** `word` or `word@word`; 0 when there is none. */
function callIdLength(bytes: Uint8Array, start: number, end: number): number {
  const at = pastWord(bytes, start, end);
  if (at === start || at === end || bytes[at] !== AT) return at - start;
  const host = at + 1;
  const hostEnd = pastWord(bytes, host, end);
  return hostEnd === host ? 0 : hostEnd - start;
}

function pastWord(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && IS_WORD[bytes[at]!] === 1) at++;
  return at;
}

function isNewline(byte: number): boolean {
  return byte === CARRIAGE_RETURN || byte === LINE_FEED;
}

function isBlankOrTab(byte: number): boolean {
  return byte === BLANK || byte === TAB;
}
