/* eslint-disable @typescript-eslint/no-require-imports -- the host of policy packs loads CommonJS only */
/*
 * Entry point of the policy pack. A host that does not heed PulumiPolicy.yaml's options has registered ts-node: then
 * it must not check types.
 */
process[Symbol.for("ts-node.register.instance")]?.enabled(false);
require("sucrase/register/ts");
require("./pack.ts");
