import { expect, test } from "vitest";
import { MISTAKES } from "./index.ts";
import { goneLook, type Text } from "./mistake.ts";

test("there are more than the twenty classic ones, each with a name of its own", () => {
  expect(MISTAKES.length).toBeGreaterThanOrEqual(22);
  expect(new Set(MISTAKES.map(({ name }) => name)).size).toBe(MISTAKES.length);
});

test.for(MISTAKES)(
  "$name is told in both languages, and its complaint does not give it away",
  (mistake) => {
    const { title, complaint, why, framesSay } = mistake;
    const texts: readonly Text[] = [title, complaint, why, framesSay];
    for (const { en, zh } of texts) {
      expect(en.length).toBeGreaterThan(10);
      expect(zh).toMatch(/[\u4e00-\u9fff]/u);
    }
    expect(mistake.complaint.en).not.toContain(mistake.title.en);
    expect(mistake.frames.line).toMatch(/^timeout \d+ tcpdump /);
  },
);

test.for(MISTAKES)(
  "$name: an output that shows the symptom does not show that it is gone",
  (mistake) => {
    const gone = goneLook(mistake);
    if (gone.line !== mistake.symptom.line || gone.on !== mistake.symptom.on) return;
    for (const sample of SAMPLES) {
      expect(mistake.symptom.shows.test(sample) && gone.shows.test(sample)).toBe(false);
    }
  },
);

const SAMPLES = [
  "curl: (28) Connection timed out after 2001 milliseconds\nfrom 192.168.150.13\n",
  "from 192.168.150.12\nfrom 192.168.150.13\n192.168.150.100 dev eth0 lladdr 02:00:c0:a8:96:0b REACHABLE\n",
  "from 192.168.150.12\nfrom 192.168.150.12\n192.168.150.100 dev eth0 lladdr 02:00:c0:a8:96:0c REACHABLE\n",
  "Unicast reply from 192.168.150.100 [02:00:C0:A8:96:0B]  0.6ms\nUnicast reply from 192.168.150.100 [02:00:C0:A8:96:0C]  0.7ms\nSent 1 probes\nReceived 2 response(s)\n",
  "Unicast reply from 192.168.150.100 [02:00:C0:A8:96:0B]  0.6ms\nReceived 1 response(s)\n",
  "curl: (7) Failed to connect to 192.168.150.100 port 80 after 0 ms: Couldn't connect to server\n",
];
