/**
 * Which folders, or files below them, the files of a folder may import from; docs/architecture.md draws the arrows.
 * `worker/` is a package of its own, `test/` and `docs/` may import anything.
 */
const arrows = {
  settings: [],
  components: ["settings"],
  policy: ["settings"],
  common: ["settings/versions"],
  toolchain: ["common", "settings/versions"],
  local: ["common", "toolchain", "settings", "components/manifests"],
  ops: ["common", "toolchain", "settings", "components/manifests", "components/guards", "policy/evaluate"],
  ci: ["common", "toolchain", "settings", "components/manifests"],
  bench: [
    "common",
    "toolchain",
    "settings",
    "components",
    "policy",
    "local",
    "ops",
    "ci",
    "worker",
    "test/support",
  ],
};
const folders = [...Object.keys(arrows), "worker", "test", "docs"];

/** Lint rules that keep every import on an arrow. */
export const arrowRules = [
  ...Object.entries(arrows).map(([folder, allowed]) => {
    const others = folders.filter((other) => other !== folder).join("|");
    const open = allowed.map((path) => `${path}(?:/|$)`).join("|");
    return restriction(
      `${folder}/**/*.ts`,
      `^(?:\\.\\./)+${open === "" ? "" : `(?!${open})`}(?:(?:${others})/|index$)`,
      `${folder}/ may import from ${allowed.length === 0 ? "itself only" : allowed.join(", ")}: see arrows.mjs`,
    );
  }),
  restriction(
    "components/manifests/*.ts",
    "^\\.\\./(?!\\.\\./)",
    "manifests are pure functions of settings: they know no component and no guard",
  ),
];

function restriction(files, regex, message) {
  return {
    files: [files],
    rules: { "no-restricted-imports": ["error", { patterns: [{ regex, message }] }] },
  };
}
