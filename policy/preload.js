/* eslint-disable @typescript-eslint/no-require-imports -- loaded by node before any other code */
/*
 * Keeps the host of the policy pack from what the pack does not need, at every preview: the TypeScript compiler with
 * ts-node, which would check all types and take as long as the preview itself (`npm run typecheck` does that once),
 * the SDK for programs, which comes with npm's package installer, and Node's debugger, which slows down all loading.
 */
const Module = require("node:module");

// The host asks for the version, to choose options for ts-node.
putOff("typescript", { version: () => require("typescript/package.json").version });
putOff("ts-node", {
  VERSION: () => require("ts-node/package.json").version,
  register: () => () => undefined,
});
// The SDK for policies wants assets and archives alone.
putOff("@pulumi/pulumi", { asset: () => require("@pulumi/pulumi/asset") });

// A program's functions can be taken apart with a debugger that has watched it from the start; a pack has none such.
putOff("@pulumi/pulumi/runtime/closure/v8Hooks", { isInitializedAsync: () => () => Promise.resolve() });
// Messages in other languages than English.
putOff("zod/v4/locales", {});

/** Puts off loading a module until more is asked of it than some parts, which are had without it. */
function putOff(name, parts) {
  const file = require.resolve(name);
  const stand = new Module(file, module);
  const loadWhole = () => {
    if (require.cache[file] === stand) Reflect.deleteProperty(require.cache, file);
    return require(file);
  };
  stand.filename = file;
  stand.loaded = true;
  stand.exports = new Proxy(
    {},
    {
      get: (_, part) =>
        part === "__esModule" ? true : Object.hasOwn(parts, part) ? parts[part]() : loadWhole()[part],
    },
  );
  require.cache[file] = stand;
}
