import { expect, test } from "vitest";
import { parseServices } from "./names.ts";

const FILE = `# services
http\t\t80/tcp\t\twww\t# WorldWideWeb
domain 53/tcp
domain 53/udp
web 80/tcp
www 81/tcp
broken
half/tcp
`;

test("services have names, aliases and protocols, and the first line wins", () => {
  const { ports, names } = parseServices(FILE);
  expect(Object.fromEntries(ports)).toEqual({
    "http/tcp": 80,
    "www/tcp": 80,
    "domain/tcp": 53,
    "domain/udp": 53,
    "web/tcp": 80,
  });
  expect(Object.fromEntries(names)).toEqual({
    "80/tcp": "http",
    "53/tcp": "domain",
    "53/udp": "domain",
    "81/tcp": "www",
  });
});
