import { UserspaceBench } from "../../../test/userspace/bench.ts";
import { describeEngine } from "../engine.contract.ts";

describeEngine("the userspace engine", () => UserspaceBench.open());
