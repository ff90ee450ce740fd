/** The VIPs that the daemon keeps on the host's interfaces. What does so is loaded when the first one is wanted. */
import { existsSync, statSync } from "node:fs";
import type { Logger } from "pino";
import type { Control } from "../control/control.ts";
import type { VipKeeper } from "../engine/host/vips/vip-keeper.ts";
import type { VipNews, VipStatus } from "../engine/host/vips/vip-status.ts";

export class Vips implements AsyncDisposable {
  readonly #control: Control;
  readonly #notePath: string;
  readonly #lines: Logger;
  readonly #listening: readonly Disposable[];
  #keeper: Promise<VipKeeper> | undefined;
  #opened: VipKeeper | undefined;
  #known: Control["state"]["vips"] | undefined;
  #isOpen = true;

  /** `folder`: where the socket is. After a boot it is empty, and the host's interfaces are, too. */
  constructor(control: Control, folder: string, lines: Logger) {
    this.#control = control;
    // Each network namespace has interfaces of its own.
    this.#notePath = `${folder}/vips.${statSync("/proc/self/ns/net").ino}`;
    this.#lines = lines;
    this.#listening = [
      control.onChange(({ vips }) => {
        if (vips !== this.#known) void this.#follow(false);
      }),
      control.declarations.onNote(() => void this.#follow(true)),
    ];
    void this.#follow(false, existsSync(this.#notePath));
  }

  status(): readonly VipStatus[] {
    return this.#opened?.status() ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    for (const each of this.#listening) each[Symbol.dispose]();
    const keeper = await this.#keeper?.catch(() => undefined);
    await keeper?.[Symbol.asyncDispose]();
  }

  /** `isApplied`: somebody wants what the file says, whatever stands. */
  async #follow(isApplied: boolean, isLeft = false): Promise<void> {
    const { vips } = this.#control.state;
    this.#known = vips;
    if (!this.#isOpen || (vips.size === 0 && this.#keeper === undefined && !isLeft)) return;
    try {
      this.#keeper ??= this.#open();
      const keeper = await this.#keeper;
      const declaration = await this.#control.declarations.latest();
      if (!this.#isOpen) return;
      // What is wanted now: meanwhile it may be something else.
      this.#known = this.#control.state.vips;
      void keeper.want(this.#known, declaration?.wanted.file.drift === "reconcile");
      if (isApplied) void keeper.restore();
    } catch (error) {
      this.#keeper = undefined;
      this.#lines.error({ event: "vip-trouble", err: error }, "cannot keep VIPs");
    }
  }

  async #open(): Promise<VipKeeper> {
    const { VipKeeper: Keeper } = await import("../engine/host/vips/vip-keeper.ts");
    const { vipNote } = await import("./vip-note.ts");
    const keeper = await Keeper.open({
      note: vipNote(this.#notePath, (message) => this.#lines.warn(message)),
      onNews: (news) => this.#tell(news),
      onTrouble: (error) =>
        this.#lines.warn({ event: "vip-trouble", err: error }, "VIPs are not as they should be"),
    });
    this.#opened = keeper;
    return keeper;
  }

  #tell({ what, vip, why }: VipNews): void {
    const lines = this.#lines;
    switch (what) {
      case "added":
        lines.info({ event: "vip-added", vip }, `the VIP ${vip} is there`);
        break;
      case "removed":
        lines.info({ event: "vip-removed", vip }, `the VIP ${vip} is no longer there`);
        break;
      case "taken-away":
        lines.warn({ event: "vip-taken-away", vip }, `another hand took the VIP ${vip} away`);
        break;
      case "put-back":
        lines.warn({ event: "vip-put-back", vip }, `the VIP ${vip} is there again`);
        break;
      case "no-interface":
        lines.warn(
          { event: "vip-waits", vip, why: what },
          `the VIP ${vip} waits for its interface`,
        );
        break;
      case "interface-down":
        lines.warn({ event: "vip-waits", vip, why: what }, `the VIP ${vip}: its interface is down`);
        break;
      case "refused":
        lines.error({ event: "vip-refused", vip, why }, `the kernel does not take the VIP ${vip}`);
        break;
    }
  }
}
