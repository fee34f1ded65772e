/* eslint-disable @typescript-eslint/no-require-imports -- the host of policy packs loads CommonJS only */
/*
 * Entry point of the policy pack. Its sources are compiled once and kept by content: to compile them at every preview
 * would take longer than to judge.
 */
const { join } = require("node:path");
const { createJiti } = require("jiti");

createJiti(__filename, {
  fsCache: join(__dirname, "..", "node_modules", ".cache", "jiti"),
  interopDefault: false,
})("./pack.ts");
