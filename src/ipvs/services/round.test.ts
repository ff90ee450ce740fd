import { expect, test } from "vitest";
import { DirectorBench } from "../../../test/packets/director-bench.ts";
import { Round } from "./round.ts";
import type { VirtualService } from "./virtual-service.ts";

function benchOf(services: number): DirectorBench {
  const bench = new DirectorBench("inet");
  for (let port = 1; port <= services; port++) {
    bench.play(`-A -t V:${port} -s rr`);
    bench.play(`-a -t V:${port} -r R1 -g`);
  }
  return bench;
}

test("a round visits every service once, a part at a time", () => {
  const { director } = benchOf(10);
  const visited: VirtualService[] = [];
  const services = () => director.services.services();
  const round = new Round({ services, visit: (service) => visited.push(service) });
  round.work(100);
  expect(visited).toEqual([]);
  round.begin();
  const parts: number[] = [];
  while (round.isBusy) {
    round.work(6);
    parts.push(visited.length);
  }
  expect(visited).toEqual([...services()]);
  // Each service has a destination, which counts, too.
  expect(parts).toEqual([3, 6, 9, 10]);
});

test("a round that is not done goes on when it should begin again", () => {
  const { director } = benchOf(4);
  let visits = 0;
  const services = () => director.services.services();
  const round = new Round({ services, visit: () => visits++ });
  round.begin();
  round.work(2);
  round.begin();
  while (round.isBusy) round.work(2);
  expect(visits).toBe(4);
});

test("services that come and go meanwhile do no harm", () => {
  const bench = benchOf(4);
  let visits = 0;
  const services = () => bench.director.services.services();
  const round = new Round({ services, visit: () => visits++ });
  round.begin();
  round.work(2);
  for (const port of [1, 2, 3]) bench.play(`-D -t V:${port}`);
  bench.play("-A -t V:9 -s rr");
  while (round.isBusy) round.work(2);
  expect(visits).toBeGreaterThanOrEqual(2);
});
