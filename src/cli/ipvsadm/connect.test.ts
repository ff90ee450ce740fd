import { expect, test } from "vitest";
import { ApiError } from "../../api/client.ts";
import { notInitialized } from "./connect.ts";

// biome-ignore format: a table
const faults: [code: string, reason: string, advice: string][] = [
  ["ENOENT",       "Protocol not available",               "Nothing answers on /s: start Sluice with 'sluice daemon', or set SLUICE_SOCKET to its socket."],
  ["ECONNREFUSED", "Protocol not available",               "Nothing answers on /s: start Sluice with 'sluice daemon', or set SLUICE_SOCKET to its socket."],
  ["EACCES",       "Permission denied (you must be root)", "/s is not yours to use: run as root or as a member of the socket's group."],
  ["EMFILE",       "too many open files",                  "Nothing answers on /s: start Sluice with 'sluice daemon', or set SLUICE_SOCKET to its socket."],
];

test.for(faults)("%s reads as IPVS that is not there", ([code, reason, advice]) => {
  const error = Object.assign(new Error("too many open files"), { code });
  const failure = notInitialized(error, "/s");
  expect(failure.exitCode).toBe(2);
  expect(failure.message).toBe(`Can't initialize ipvs: ${reason}
Are you sure that IP Virtual Server is built in the kernel or as module?
${advice}`);
});

test("who may not command hears what a user without privileges hears", () => {
  const error = new ApiError(403, { code: "not-permitted", message: "Only root may" });
  expect(notInitialized(error, "/s")).toMatchObject({
    exitCode: 2,
    message: `Can't initialize ipvs: Permission denied (you must be root)
Are you sure that IP Virtual Server is built in the kernel or as module?
Only root may.`,
  });
});
