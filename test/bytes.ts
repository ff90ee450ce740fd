/** Bytes from hexadecimal digits; white space is for the reader. `bytes("9c40 0035")` */
export function bytes(hex: string): Uint8Array {
  const digits = hex.replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) {
    throw new RangeError(
      `Cannot read ${JSON.stringify(hex)} as bytes: expected pairs of hex digits`,
    );
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
}

/** The inverse, in groups of two bytes: `9c40 0035`. */
export function hex(bytes: Uint8Array): string {
  return [...bytes]
    .map(
      (byte, index) =>
        (index % 2 === 0 && index > 0 ? " " : "") + byte.toString(16).padStart(2, "0"),
    )
    .join("");
}

/** The bytes of `a%0D%0Ab`: what stands behind a percent sign is a byte in two hexadecimal digits. */
export function urlDecoded(text: string): Uint8Array {
  const characters = text.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}
