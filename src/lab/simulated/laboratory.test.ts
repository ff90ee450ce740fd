import { expect, test } from "vitest";
import { openSimulated } from "./laboratory.ts";

const VIP = "192.168.150.100";

async function healthy(seed = 1) {
  const laboratory = await openSimulated({ scenario: "dr", family: "inet", seed });
  const type = async (host: string, line: string): Promise<string> => {
    const { status, output } = await laboratory.run(host, line);
    expect([line, status, output]).toEqual([line, 0, output]);
    return output;
  };
  await type("node01", `ifconfig eth0:2 ${VIP}/24`);
  for (const host of ["node02", "node03"]) {
    await type(
      host,
      "for card in eth0 all; do echo 1 > /proc/sys/net/ipv4/conf/$card/arp_ignore; echo 2 > /proc/sys/net/ipv4/conf/$card/arp_announce; done",
    );
    await type(host, `ifconfig lo:2 ${VIP} netmask 255.255.255.255`);
  }
  await type("node01", `ipvsadm -A -t ${VIP}:80 -s rr`);
  for (const rip of [12, 13])
    await type("node01", `ipvsadm -a -t ${VIP}:80 -r 192.168.150.${rip} -g -w 1`);
  return { laboratory, type };
}

test("the handbook's laboratory: requests go to both in turn, and replies straight to the client", async () => {
  const { laboratory, type } = await healthy();
  const answers = await type(
    "client",
    `for i in $(seq 4); do curl -sS --max-time 2 http://${VIP}/; done`,
  );
  expect(answers).toBe(
    "from 192.168.150.13\nfrom 192.168.150.12\nfrom 192.168.150.13\nfrom 192.168.150.12\n",
  );
  expect(await type("node01", "ipvsadm -ln")).toMatchInlineSnapshot(`
    "IP Virtual Server version 1.2.1 (size=4096)
    Prot LocalAddress:Port Scheduler Flags
      -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
    TCP  192.168.150.100:80 rr
      -> 192.168.150.12:80            Route   1      0          2         
      -> 192.168.150.13:80            Route   1      0          2         
    "
  `);
  expect(await type("node01", "ipvsadm -lnc | grep -c FIN_WAIT")).toBe("4\n");
  expect(await type("node01", "ss -tan")).not.toContain("192.168.150.1:");
  expect(await type("node02", "ss -tan")).toContain(`${VIP}:80`);
  expect(await type("client", `ip neigh show ${VIP}`)).toContain("02:00:c0:a8:96:0b");
  const replies = laboratory.simulation.events.filter(
    (event) => event.kind === "frame-received" && event.host === "node01",
  );
  expect(replies.length).toBeGreaterThan(0);
});

test("without arp_ignore a real server answers for the VIP, too", async () => {
  const { type } = await healthy();
  await type("node02", "sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0");
  const output = await type("client", `arping -b -c 1 -I eth0 ${VIP}`);
  expect(output).toContain("[02:00:C0:A8:96:0B]");
  expect(output).toContain("[02:00:C0:A8:96:0C]");
});

test("a listener sees what is typed meanwhile", async () => {
  const { laboratory } = await healthy();
  const listening = laboratory.run(
    "node02",
    "timeout 3 tcpdump -nne -c 2 -i eth0 dst host 192.168.150.100 and port 80",
  );
  const asked = await laboratory.run("client", `curl -sS -m 2 http://${VIP}/ http://${VIP}/`);
  const heard = await listening;
  expect(asked.output).toContain("from 192.168.150.12");
  expect(heard.output).toMatch(
    /02:00:c0:a8:96:0b > 02:00:c0:a8:96:0c.*192\.168\.150\.1\.\d+ > 192\.168\.150\.100\.80: Flags \[S\]/,
  );
});
