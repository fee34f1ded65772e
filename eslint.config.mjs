import pulumiPlugin from "@pulumi/eslint-plugin";
import tseslint from "typescript-eslint";
import { arrowRules } from "./arrows.mjs";

export default tseslint.config(
  { ignores: ["**/node_modules/", "**/lib/", "**/out/", "coverage/", "toolchain/go/"] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
  },
  {
    files: ["**/*.ts"],
    rules: {
      // `process.env["NAME"]` is what the compiler may ask for where keys are not declared.
      "@typescript-eslint/dot-notation": "off",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/explicit-module-boundary-types": "off",
      // A number reads in a text as it is meant; everything else has to be rendered on purpose.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // An interface may ask for a promise that one of its implementations has no need to wait for.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    // The program proper: an Output in a string would print as a warning text.
    files: ["index.ts", "components/**/*.ts"],
    plugins: { "@pulumi": pulumiPlugin },
    rules: { "@pulumi/no-output-in-template-literal": "error" },
  },
  ...arrowRules,
  {
    // Scripts that run before there is anything to compile, and configuration files: no type information.
    files: ["**/*.{js,mjs,cjs}"],
    extends: [tseslint.configs.disableTypeChecked],
  },
);
