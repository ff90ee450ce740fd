/** Requests from the client's shell, and what their answers say. */

/** Long enough for a loaded machine to answer, short enough to watch a request hang. */
const ANSWER_TIMEOUT_S = 2;

/** How long commands that send `count` requests, each possibly hanging, may take. */
export function requestsTimeoutMs(count: number): number {
  return 5_000 + count * (ANSWER_TIMEOUT_S + 1) * 1_000;
}

export function request(url: string): string {
  return `curl -sS --max-time ${ANSWER_TIMEOUT_S} ${url}`;
}

export function requestsInTurn(url: string, count: number): string {
  return `for i in $(seq ${count}); do ${request(url)}; done`;
}

/** At once, so that those that hang do it together. Each says its word in one piece, or their letters would mix. */
export function requestsTogether(url: string, count: number): string {
  return `for i in $(seq ${count}); do (says=$(${request(url)} 2>&1); echo "$says") & done; wait`;
}

export interface Answers {
  /** The RIPs that answered, in the order of the answers. */
  readonly from: readonly string[];
  readonly unanswered: number;
}

export function parseAnswers(output: string): Answers {
  const lines = output.split("\n");
  return {
    from: lines.flatMap((line) => /^from (\S+)$/.exec(line)?.[1] ?? []),
    unanswered: lines.filter((line) => line.startsWith("curl: ")).length,
  };
}

/** Whether each answer came from another server than the one before it. */
export function alternate(from: readonly string[]): boolean {
  return from.every((rip, index) => index === 0 || rip !== from[index - 1]);
}
