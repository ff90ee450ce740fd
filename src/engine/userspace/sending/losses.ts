/** Where the userspace engine may lose packets beside the director: each has a counter. engine/reason-words.ts words them. */
export type Loss =
  | "ring-full"
  | "ring-truncated"
  | "ring-stale"
  | "transmit-congested"
  | "transmit-failed"
  | "neighbour-queue-full"
  | "neighbour-refused"
  | "neighbour-silent"
  | "link-gone"
  | "notice-congested"
  | "notice-failed"
  | "lane-congested"
  | "lane-failed"
  | "too-many-segments"
  | "host-too-big";
