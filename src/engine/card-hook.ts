/** How a program of the kernel engine came to run at an interface. */
export interface CardHook {
  readonly interface: string;
  readonly hook: "tcx" | "clsact" | "xdp native" | "xdp generic" | "none";
  /** Why not better; null: it is as it was asked for. */
  readonly why: string | null;
}
