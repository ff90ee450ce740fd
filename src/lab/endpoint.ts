/** Addresses with ports, as everybody writes them: an IPv6 address in brackets, RFC 3986 section 3.2.2. */

export function endpoint(address: string, port: number | string): string {
  return `${bracketed(address)}:${port}`;
}

/** `path` begins with a slash. */
export function url(address: string, port = 80, path = "/"): string {
  return `http://${port === 80 ? bracketed(address) : endpoint(address, port)}${path}`;
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
