/* eslint-disable @typescript-eslint/no-require-imports -- the host of policy packs loads CommonJS only */
/*
 * Entry point of the policy pack. Its host would check all types with ts-node at every preview, which takes
 * as long as the preview itself: `npm run typecheck` does that once.
 */
const { REGISTER_INSTANCE } = require("ts-node");

process[REGISTER_INSTANCE]?.enabled(false);
require("sucrase/register/ts");
require("./pack.ts");
