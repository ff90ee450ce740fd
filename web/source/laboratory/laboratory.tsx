/** The laboratory. */
import type { JSX } from "preact";
export default function Laboratory(): JSX.Element {
  return <p class="notice" />;
}
