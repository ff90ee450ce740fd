/**
 * Runs ipvsadm for the agents, in this process: a new one each time would take most of a case's time. A line is asked,
 * words, standard input and the daemon's socket, and a line is answered: exit code, standard output and error. All are in
 * hexadecimal digits, words apart by zeros.
 */
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { run } from "../../../src/cli/ipvsadm/run.ts";
import { runCommand } from "../ours/command.ts";
import { packed, unpacked } from "./packed.ts";

export async function serveIpvsadm(path: string): Promise<AsyncDisposable> {
  const server = createServer(serve);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return { [Symbol.asyncDispose]: () => closed(server) };
}

function serve(socket: Socket): void {
  // An agent that is ended early asks no more.
  socket.on("error", () => socket.destroy());
  createInterface({ input: socket }).once("line", (line) => {
    // One that fails in a way of its own leaves the agent without an answer, which tells of it.
    answer(socket, line).catch((error: unknown) => socket.destroy(error as Error));
  });
}

async function answer(socket: Socket, line: string): Promise<void> {
  const [words = "", stdin = "", daemon = ""] = line.split(" ").map((word) => unpacked(word));
  const { exitCode, stdout, stderr } = await runCommand(run, words.split("\0"), stdin, daemon);
  socket.end(`${exitCode} ${packed(stdout)} ${packed(stderr)}\n`);
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
