import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TlsOptions } from "node:tls";
import { afterAll, expect, test } from "vitest";
import { selfSigned } from "../../../test/certificates.ts";
import { serve, soon } from "../../../test/loopback.ts";
import { tls } from "./tls.ts";
import type { TlsSettings } from "./tls-settings.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-tls-"));
afterAll(() => rmSync(folder, { recursive: true }));

const byAge = {
  good: selfSigned("web.example"),
  nearlyOver: selfSigned("web.example", -90, 5.5),
  expired: selfSigned("web.example", -90, -2),
  future: selfSigned("web.example", 2, 90),
  address: selfSigned("127.0.0.1"),
};

const authority = {} as Record<keyof typeof byAge, string>;
for (const [age, { certificate }] of Object.entries(byAge)) {
  authority[age as keyof typeof byAge] = join(folder, `${age}.pem`);
  writeFileSync(join(folder, `${age}.pem`), certificate);
}

function serverWith(age: keyof typeof byAge, options: TlsOptions = {}) {
  const { certificate: cert, key } = byAge[age];
  return serve(createServer({ cert, key, ...options }));
}

const name = { serverName: "web.example" };

// biome-ignore format: a table
const cases: [what: string, age: keyof typeof byAge, settings: TlsSettings, up: boolean, why: RegExp, warning?: RegExp][] = [
  ["takes a certificate of an authority that it knows", "good", { ...name, authority: authority.good }, true, /^TLSv1\.3$/],
  ["takes a certificate that names the address", "address", { authority: authority.address }, true, /^TLSv1\.3$/],
  ["refuses one whose authority it does not know", "good", name, false, /^TLS: self-signed certificate$/],
  ["refuses one of another name", "good", { serverName: "other.example", authority: authority.good }, false, /^TLS: .*other\.example/],
  ["refuses one that names no address when it has no name", "good", { authority: authority.good }, false, /^TLS: .*127\.0\.0\.1/],
  ["refuses one that has expired", "expired", { ...name, authority: authority.expired }, false, /^TLS: the certificate has expired$/],
  ["refuses one that is not valid yet", "future", { ...name, authority: authority.future }, false, /^TLS: certificate is not yet valid$/],
  ["warns of one that will expire soon", "nearlyOver", { ...name, authority: authority.nearlyOver }, true, /^TLSv1\.3$/, /^the certificate expires on \d{4}-\d\d-\d\d, in 5 days$/],
  ["does not warn when that is soon enough", "nearlyOver", { ...name, authority: authority.nearlyOver, expiryWarningDays: 5 }, true, /^TLSv1\.3$/],
  ["takes any when it is told so", "good", { verify: false }, true, /^TLSv1\.3$/],
  ["takes an expired one when it is told so, with a warning", "expired", { verify: false }, true, /^TLSv1\.3$/, /^the certificate expired on \d{4}-\d\d-\d\d$/],
  ["says that it cannot read the authorities", "good", { authority: join(folder, "none.pem") }, false, /^cannot read .*none\.pem: ENOENT$/],
];

test.for(cases)("tls %s", async ([, age, settings, up, why, warning]) => {
  await using server = await serverWith(age);
  const outcome = await tls(server.target, settings, soon());
  expect(outcome.why).toMatch(why);
  expect(outcome.up).toBe(up);
  if (warning === undefined) expect(outcome.warning).toBeUndefined();
  else expect(outcome.warning).toMatch(warning);
  await expect.poll(server.open).toBe(0);
});

test("tls asks by SNI for the name", async () => {
  const asked: string[] = [];
  await using server = await serverWith("good", {
    SNICallback: (sni, answer) => {
      asked.push(sni);
      answer(null);
    },
  });
  await tls(server.target, { verify: false, ...name }, soon());
  await tls(server.target, { verify: false }, soon());
  expect(asked).toEqual(["web.example"]);
});

test("tls wants one of the protocols", async () => {
  await using with2 = await serverWith("good", { ALPNProtocols: ["h2"] });
  await using without = await serverWith("good");
  const settings = { verify: false, protocols: ["h2"] };
  expect(await tls(with2.target, settings, soon())).toEqual({ up: true, why: "TLSv1.3, h2" });
  expect(await tls(without.target, settings, soon())).toEqual({
    up: false,
    why: "the server takes none of the protocols h2",
  });
});

test("tls shows a certificate of its own", async () => {
  const keyFile = join(folder, "client-key.pem");
  writeFileSync(keyFile, byAge.address.key);
  const seen: unknown[] = [];
  const server = createServer(
    {
      cert: byAge.good.certificate,
      key: byAge.good.key,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket) => seen.push(socket.getPeerCertificate().subject?.CN),
  );
  await using listening = await serve(server);
  const settings = {
    verify: false,
    clientCertificate: authority.address,
    clientKey: keyFile,
  };
  expect((await tls(listening.target, settings, soon())).up).toBe(true);
  await expect.poll(() => seen).toEqual(["127.0.0.1"]);
});
