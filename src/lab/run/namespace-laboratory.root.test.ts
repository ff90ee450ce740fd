import { expect, test } from "vitest";
import { openLaboratory } from "./namespace-laboratory.ts";

test("lines run on the hosts of a laboratory in which nothing was typed yet", async () => {
  const laboratory = await openLaboratory({ scenario: "dr", family: "inet" });
  const said = async (host: string, line: string): Promise<string> =>
    (await laboratory.run(host, line)).output.trim();
  try {
    expect(laboratory.hosts).toEqual(["client", "node01", "node02", "node03"]);
    expect(await said("client", "curl -sS -m 5 http://192.168.150.12/")).toBe(
      "from 192.168.150.12",
    );
    expect(await said("node01", "ipvsadm -Sn")).toBe("");
    expect(await laboratory.run("node03", "echo out; echo err >&2; exit 3")).toEqual({
      status: 3,
      output: "out\nerr\n",
    });

    await said("node02", "httpd -k restart -c 'Listen 192.168.150.12:8080'");
    expect(await said("node02", "ss -Htln")).toContain("192.168.150.12:8080");
    expect(await said("node02", "httpd -k stop; ss -Htln")).toBe("");
    expect(await said("node02", "httpd -k begin")).toContain("usage: httpd");
    // A real server may be a director, too.
    expect(await said("node02", "ipvsadm -A -t 192.168.150.100:80; ipvsadm -Sn")).toBe(
      "-A -t 192.168.150.100:80 -s wlc",
    );
  } finally {
    await laboratory.close();
  }
});
