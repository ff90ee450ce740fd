import { dh } from "./dh.ts";
import { fo } from "./fo.ts";
import { lblc } from "./lblc.ts";
import { lblcr } from "./lblcr.ts";
import { lc } from "./lc.ts";
import { mh } from "./mh.ts";
import { none } from "./none.ts";
import { nq } from "./nq.ts";
import { ovf } from "./ovf.ts";
import { rr } from "./rr.ts";
import type { SchedulerFactory } from "./scheduler.ts";
import { sed } from "./sed.ts";
import { sh } from "./sh.ts";
import { twos } from "./twos.ts";
import { wlc } from "./wlc.ts";
import { wrr } from "./wrr.ts";

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
  | "sh"
  | "mh"
  | "fo"
  | "ovf"
  | "twos"
  | "none";

/** Every scheduler by the name that ipvsadm gives it. A new one is a file, a name and a line here. */
export const SCHEDULERS: Readonly<Record<SchedulerName, SchedulerFactory>> = {
  rr,
  wrr,
  lc,
  wlc,
  sed,
  nq,
  lblc,
  lblcr,
  dh,
  sh,
  mh,
  fo,
  ovf,
  twos,
  none,
};
