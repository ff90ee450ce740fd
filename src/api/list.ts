/** A long list as one JSON object, written part by part, so that packets have their turn between them. */
import { Pauses } from "../base/pauses.ts";

/** Written together: a service alone would cost a system call. */
const PART_LENGTH = 32 * 1024;

/** `{"name":[...]}` as a stream that is pulled no faster than its reader reads. */
export function list<Item>(
  name: string,
  items: readonly Item[],
  toJson: (item: Item) => object,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const pauses = new Pauses();
  let next = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let text = next === 0 ? `{${JSON.stringify(name)}:[` : "";
      while (next < items.length && text.length < PART_LENGTH) {
        text += (next === 0 ? "" : ",") + JSON.stringify(toJson(items[next]!));
        next++;
      }
      if (next === items.length) {
        controller.enqueue(encoder.encode(`${text}]}`));
        controller.close();
        return;
      }
      controller.enqueue(encoder.encode(text));
      await pauses.ifDue();
    },
  });
}
