export type SchedulerName =
  | "rr"
  | "wrr"
  | "lc"
  | "wlc"
  | "sed"
  | "nq"
  | "lblc"
  | "lblcr"
  | "dh"
  | "sh";
