/** The agent's words: what may hold a blank is in hexadecimal digits, "-" is nothing (agent/words.py). */

export function packed(data: string | Uint8Array): string {
  return Buffer.from(data).toString("hex") || "-";
}

export function unpacked(word: string | undefined): string {
  return word === undefined || word === "-" ? "" : Buffer.from(word, "hex").toString();
}
