import { afterEach, expect, test } from "vitest";
import { MemoryEngine } from "../../test/memory-engine.ts";
import type { Finding } from "../ipvs/diagnosis/finding.ts";
import { wordingOf } from "../ipvs/diagnosis/finding.ts";
import { FindingWatch } from "./finding-watch.ts";
import { keyFromWire } from "./wire.ts";

const engine = new MemoryEngine();
let told: string[] = [];
const watch = new FindingWatch(engine, {
  onBegin: (finding) => told.push(`began: ${wordingOf(finding).about}`),
  onEnd: ({ finding }) => told.push(`ended: ${wordingOf(finding).about}`),
  onMore: (what, code, count) => told.push(`${count} more ${what}: ${code}`),
  onError: (error) => told.push(String(error)),
});

afterEach(() => {
  watch[Symbol.dispose]();
});

function filtered(mark: number, packets: number): Finding {
  const service = keyFromWire({ kind: "mark", family: "inet", mark });
  return { code: "filtered", service, packets };
}

test("each is told once when it begins and once when it ends, however its facts move on", async () => {
  const look = async (...findings: Finding[]): Promise<string[]> => {
    engine.findings = findings;
    told = [];
    await watch.look();
    return told;
  };
  expect(await look()).toEqual([]);
  expect(await look(filtered(1, 3))).toEqual(["began: FWM 1"]);
  expect(await look(filtered(1, 9), filtered(2, 3))).toEqual(["began: FWM 2"]);
  const { lasting } = await watch.look();
  expect(lasting.map(({ finding }) => finding)).toEqual([filtered(1, 9), filtered(2, 3)]);
  expect(await look(filtered(2, 3))).toEqual(["ended: FWM 1"]);
  const many = Array.from({ length: 50 }, (_, index) => filtered(index + 10, 3));
  const all = await look(...many);
  expect(all[0]).toBe("ended: FWM 2");
  expect(all.slice(-2)).toEqual(["began: FWM 29", "30 more began: filtered"]);
  expect((await look()).at(-1)).toBe("30 more ended: filtered");
});
