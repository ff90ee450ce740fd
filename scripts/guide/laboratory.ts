/** The laboratory on its one wire, as it is planned. */
import { addressOn, macOf, planOf } from "../../src/lab/network/plan.ts";
import { Drawing, type Meaning } from "./drawing.ts";

const WIDTH = 760;
const BOX = { width: 172, height: 92, y: 20 };
const WIRE_Y = 160;

export function drawLaboratory(): string {
  const plan = planOf("dr", "inet");
  const drawing = new Drawing("The laboratory for direct routing", WIDTH, 186);
  const lastByte = (address: string): string => macOf(address).slice(-5);
  const seats = plan.hosts.map((host, index) => ({ host, x: 20 + index * 182.5 }));
  for (const { host, x } of seats) {
    const meanings: Record<string, Meaning> = { client: "client", node01: "director" };
    const meaning = meanings[host.name] ?? "server";
    const address = addressOn(plan, host.name, "lan");
    const middle = x + BOX.width / 2;
    drawing.shade(x, BOX.y, BOX.width, BOX.height, meaning);
    drawing.text(middle, BOX.y + 24, host.name, {
      anchor: "middle",
      meaning,
      size: 15,
      isBold: true,
    });
    drawing.text(middle, BOX.y + 44, `eth0 ${address}`, { anchor: "middle", size: 12 });
    if (host.name !== "client") {
      const card = host.name === "node01" ? "eth0:2" : "lo:2";
      drawing.text(middle, BOX.y + 62, `${card} ${plan.vip}`, {
        anchor: "middle",
        size: 12,
        meaning,
      });
    }
    drawing.text(middle, BOX.y + 82, `MAC …${lastByte(address)}`, {
      anchor: "middle",
      size: 12,
      meaning: "faint",
    });
    drawing.line(middle, BOX.y + BOX.height, middle, WIRE_Y);
  }
  const half = BOX.width / 2;
  drawing.line(seats[0]!.x + half, WIRE_Y, seats.at(-1)!.x + half, WIRE_Y);
  return drawing.toString();
}
