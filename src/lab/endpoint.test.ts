import { expect, test } from "vitest";
import { endpoint, url } from "./endpoint.ts";

test("IPv6 addresses with ports are in brackets", () => {
  expect(endpoint("192.0.2.1", 80)).toBe("192.0.2.1:80");
  expect(endpoint("2001:db8::1", 80)).toBe("[2001:db8::1]:80");
});

test("a URL names its port only when it has to", () => {
  expect(url("192.0.2.1")).toBe("http://192.0.2.1/");
  expect(url("2001:db8::1")).toBe("http://[2001:db8::1]/");
  expect(url("2001:db8::1", 8080, "/hold")).toBe("http://[2001:db8::1]:8080/hold");
});
