/** Certificates for tests, of any age: X.509 by hand (RFC 5280), for what Node makes keys for but no certificates. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

const DAY_MS = 86_400_000;

// DER: a tag, a length, what is inside.
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;
const EXPLICIT = 0xa0;
/** GeneralName's dNSName and iPAddress. */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

const COMMON_NAME = "550403";
const SUBJECT_ALTERNATIVE_NAME = "551d11";
const BASIC_CONSTRAINTS = "551d13";
const ECDSA_WITH_SHA256 = "2a8648ce3d040302";

export interface Certificate {
  /** Both PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** A certificate that is its own authority, valid from so many days ago until in so many days, negative ones being past. */
export function selfSigned(name: string, fromDays = -1, toDays = 365): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(SEQUENCE, der(OBJECT, hex(ECDSA_WITH_SHA256)));
  const named = der(SEQUENCE, der(OBJECT, hex(COMMON_NAME)), der(UTF8_STRING, Buffer.from(name)));
  const subject = der(SEQUENCE, der(SET, named));
  const body = der(
    SEQUENCE,
    der(EXPLICIT, der(INTEGER, hex("02"))),
    der(INTEGER, serialOf(publicKey)),
    algorithm,
    subject,
    der(SEQUENCE, time(fromDays), time(toDays)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(EXPLICIT | 3, der(SEQUENCE, names(name), authority())),
  );
  const signature = Buffer.concat([hex("00"), sign("sha256", body, privateKey)]);
  const whole = der(SEQUENCE, body, algorithm, der(BIT_STRING, signature));
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${whole.toString("base64")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

function names(name: string): Buffer {
  const isAddress = /^[\d.]+$/.test(name);
  const alternative = isAddress
    ? der(IP_ADDRESS, Buffer.from(name.split(".").map(Number)))
    : der(DNS_NAME, Buffer.from(name));
  return extension(SUBJECT_ALTERNATIVE_NAME, der(SEQUENCE, alternative));
}

function authority(): Buffer {
  return extension(BASIC_CONSTRAINTS, der(SEQUENCE, hex("0101ff")));
}

function extension(id: string, value: Buffer): Buffer {
  return der(SEQUENCE, der(OBJECT, hex(id)), der(OCTET_STRING, value));
}

/** Certificates of one name are told apart by it. */
function serialOf(key: KeyObject): Buffer {
  const digest = createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest();
  return Buffer.concat([hex("01"), digest.subarray(0, 8)]);
}

function time(days: number): Buffer {
  const text = new Date(Date.now() + days * DAY_MS).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(UTC_TIME, Buffer.from(text.slice(2)));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const inside = Buffer.concat(parts);
  const length =
    inside.length < 0x80 ? [inside.length] : [0x82, inside.length >> 8, inside.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), inside]);
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, "hex");
}
