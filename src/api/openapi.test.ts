import { expect, test } from "vitest";
import { neededRight } from "./access.ts";
import { openApi } from "./openapi.ts";
import { ROUTES } from "./routes.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: unknown;
}

const document = openApi("1.2.3") as {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
};

test.each(Object.entries(ROUTES))("%s is in the document", (name, { method, path }) => {
  const operation = document.paths[path.replaceAll(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
  expect(operation).toMatchObject({ operationId: name });
  const inPath = operation!.parameters.filter((each) => each.in === "path");
  expect(inPath.map((each) => each.name)).toEqual(
    [...path.matchAll(/:(\w+)/g)].map(([, parameter]) => parameter),
  );
});

test("the document has nothing that is no route, and each reference leads somewhere", () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  expect(operations.map(({ operationId }) => operationId).toSorted()).toEqual(
    Object.keys(ROUTES).toSorted(),
  );
  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    expect(document.components.schemas).toHaveProperty(name!);
  }
  expect(text).not.toContain("#/$defs");
  expect(text).not.toContain("undefined");
});

test("bodies are described by the schemas that they are checked by", () => {
  const { Timeouts, Service } = document.components.schemas;
  expect(Timeouts).toMatchObject({
    type: "object",
    properties: { tcp: { type: "integer", minimum: 0, maximum: 2_678_400 } },
    required: ["tcp", "tcpFin", "udp"],
    additionalProperties: false,
  });
  expect(Service).toMatchObject({ required: ["key"] });
});

test.each(Object.values(ROUTES).map(({ method, path }) => [method, path] as const))(
  "%s %s needs the right that its method shows",
  (method, path) => {
    const isReading = method === "GET" || /\/(plan|explain)$/.test(path);
    expect(neededRight(method, path)).toBe(isReading ? "read" : "write");
  },
);

test("what is no route needs the most", () => {
  expect(neededRight("PATCH", "/v1")).toBe("write");
  expect(neededRight("POST", "/v1/configuration/plan/")).toBe("write");
});
