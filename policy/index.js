/* eslint-disable @typescript-eslint/no-require-imports -- the host of policy packs loads CommonJS only */
/*
 * Entry point of the policy pack. Its host would check all types with ts-node at every preview, which takes
 * as long as the preview itself: `npm run typecheck` does that once.
 */
const Module = require("node:module");
const { REGISTER_INSTANCE } = require("ts-node");

process[REGISTER_INSTANCE]?.enabled(false);
loadLazily(require.resolve("@pulumi/pulumi"), { asset: () => require("@pulumi/pulumi/asset") });
require("sucrase/register/ts");
require("./pack.ts");

/**
 * Puts off a module until more is asked of it than some parts, which are loaded by themselves. The SDK for
 * policies wants assets and archives alone; the whole SDK for programs comes with npm's package installer, and
 * takes longer to load than all policies take to judge a stack.
 */
function loadLazily(file, parts) {
  const loadWhole = () => {
    if (require.cache[file] === stand) Reflect.deleteProperty(require.cache, file);
    return require(file);
  };
  const stand = new Module(file, module);
  stand.filename = file;
  stand.loaded = true;
  stand.exports = new Proxy(
    {},
    {
      get: (_, name) =>
        name === "__esModule" ? true : Object.hasOwn(parts, name) ? parts[name]() : loadWhole()[name],
    },
  );
  require.cache[file] = stand;
}
