/** JSON by the line (application/x-ndjson), for lists too long to hold: read and written as it flows. */

/** Written together: a line alone would cost a system call. */
const CHUNK_LENGTH = 32 * 1024;

/**
 * `items` as a stream that is pulled no faster than its reader reads, and stops when the reader goes. `isAtOnce`: each is
 * written as it comes.
 */
export function lines<Item>(
  items: AsyncIterable<Item>,
  toJson: (item: Item) => object,
  isAtOnce = false,
): ReadableStream<Uint8Array> {
  const iterator = items[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let text = "";
      while (text.length < (isAtOnce ? 1 : CHUNK_LENGTH)) {
        const { done, value } = await iterator.next();
        if (done) {
          if (text !== "") controller.enqueue(encoder.encode(text));
          controller.close();
          return;
        }
        text += `${JSON.stringify(toJson(value))}\n`;
      }
      controller.enqueue(encoder.encode(text));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

/** Parts as they are, each written for itself. */
export function textStream(parts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await parts.return(undefined);
    },
  });
}

/** The objects of a stream of lines. */
export async function* objects(stream: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) yield JSON.parse(line);
  }
  if (rest !== "") throw new SyntaxError("The stream ended within a line");
}

/** A Server-Sent Event. */
export interface StreamedEvent {
  /** What to go on behind; null with what the stream itself says. */
  readonly id: string | null;
  readonly event: string;
  readonly data: unknown;
}

/** The events of a stream as the daemon writes it: one field a line, `data` once, LF alone. */
export async function* streamedEvents(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<StreamedEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(
        block.split("\n").map((line) => {
          const [, name = "", value = ""] = /^([a-z]*): (.*)$/.exec(line) ?? [];
          return [name, value];
        }),
      );
      const event = fields.get("event");
      if (event === undefined) continue;
      const data: unknown = JSON.parse(fields.get("data") ?? "null");
      yield { id: fields.get("id") ?? null, event, data };
    }
  }
}
