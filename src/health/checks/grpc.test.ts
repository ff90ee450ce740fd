import { createServer } from "node:http2";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { selfSigned } from "../../../test/certificates.ts";
import { serve, soon } from "../../../test/loopback.ts";
import { grpc } from "./grpc.ts";

/** HealthCheckResponse of each service; a number is gRPC's own status. */
const SERVICES: Readonly<Record<string, string | number>> = {
  "": "0801",
  good: "0801",
  bad: "0802",
  unsaid: "",
  new: "0809",
  later: "1a0361626308011001",
  unknown: status.NOT_FOUND,
};

const { certificate, key } = selfSigned("rpc.example");
const secure = ServerCredentials.createSsl(null, [
  { cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) },
]);

/** A server of gRPC's own library, with a service by hand. */
async function serveGrpc(credentials = ServerCredentials.createInsecure()) {
  const server = new Server();
  const bytes = (value: Buffer) => value;
  const method = {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  } as const;
  server.addService(
    { Check: method },
    {
      Check: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        const says = SERVICES[call.request.subarray(2).toString()] ?? status.NOT_FOUND;
        if (typeof says === "string") answer(null, Buffer.from(says, "hex"));
        else answer({ code: says, details: "no such service, sorry: 50%" });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    target: { address: "127.0.0.1", port },
    [Symbol.dispose]: () => server.forceShutdown(),
  };
}

const cases: [service: string | undefined, up: boolean, why: string][] = [
  [undefined, true, "SERVING"],
  ["good", true, "SERVING"],
  ["bad", false, "NOT_SERVING"],
  ["unsaid", false, "UNKNOWN"],
  ["new", false, "serving status 9"],
  ["later", true, "SERVING"],
  ["unknown", false, 'gRPC status NOT_FOUND: "no such service, sorry: 50%"'],
];

test.for(cases)("grpc asks for the health of %s", async ([service, up, why]) => {
  using server = await serveGrpc();
  const settings = service === undefined ? {} : { service };
  expect(await grpc(server.target, settings, soon())).toEqual({ up, why });
});

test("grpc over TLS checks the certificate", async () => {
  using server = await serveGrpc(secure);
  const good = await grpc(server.target, { tls: true, verify: false }, soon());
  expect(good).toEqual({ up: true, why: "SERVING" });
  const bad = await grpc(server.target, { tls: true }, soon());
  expect(bad).toEqual({ up: false, why: "TLS: self-signed certificate" });
});

test("grpc does not take any page for an answer", async () => {
  await using server = await serve(
    createServer((request, response) => {
      if (request.headers.te !== "trailers") response.statusCode = 500;
      response.end("well");
    }) as never,
  );
  expect(await grpc(server.target, {}, soon())).toEqual({
    up: false,
    why: "not an answer of gRPC: it has no grpc-status",
  });
});

test("grpc does not read a message without end", async () => {
  await using server = await serve(
    createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/grpc" });
      const go = () => {
        while (!response.writableEnded && response.write(Buffer.alloc(16_384))) {
          // Until the window is full.
        }
      };
      response.stream.on("error", () => {});
      response.on("drain", go);
      go();
    }) as never,
  );
  expect((await grpc(server.target, {}, soon())).up).toBe(false);
  await expect.poll(server.open).toBe(0);
});
