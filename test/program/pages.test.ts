import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { configOf } from "../../settings/engineYaml";
import { isMapping, merge, type Mapping, PROJECT } from "../../settings/mapping";
import { parseSettings } from "../../settings/settings";
import { sourceOfStackFile } from "../../settings/stackFile";
import { STACK_FILES } from "../support/stackFiles";
import { PROJECT_ROOT, stackConfig } from "./stack";

const docs = join(PROJECT_ROOT, "docs");
const pages = [
  ...["README.md", "CONTRIBUTING.md", "worker/README.md", "workers/README.md"],
  ...readdirSync(docs)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const textOf = (page: string): string => readFileSync(join(PROJECT_ROOT, page), "utf8");
const blocks = (page: string, language: string): string[] =>
  [...textOf(page).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(
    ([, text = ""]) => text,
  );

/** Scripts of the program and of the worker. */
const commands = ["package.json", "worker/package.json"].flatMap((file) =>
  Object.keys(
    z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(textOf(file))).scripts,
  ),
);

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/[`*]|\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
const anchorsOf = (page: string): string[] =>
  [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading));

describe("pages of the documentation", () => {
  for (const page of pages) {
    it(`${page} leads to files and headings that there are`, () => {
      const prose = textOf(page).replace(/^```.*?^```$/gms, "");
      const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => link);
      const broken = links.filter((link) => {
        if (/^[a-z]+:/.test(link)) return false;
        const [path = "", anchor] = link.split("#");
        const file = path === "" ? page : join(dirname(page), path);
        if (!existsSync(join(PROJECT_ROOT, file))) return true;
        return anchor !== undefined && file.endsWith(".md") && !anchorsOf(file).includes(anchor);
      });
      assert.deepEqual(broken, []);
    });

    it(`${page} names commands that there are`, () => {
      const named = [...textOf(page).matchAll(/npm run (?:--silent )?([a-z][\w:-]*\w)/g)];
      assert.deepEqual(
        named.flatMap(([, name = ""]) => (commands.includes(name) || name === "ci" ? [] : name)),
        [],
      );
    });
  }

  for (const page of pages.filter((name) => /install-|connect-your-app|make-it-yours|openings/.test(name))) {
    it(`${page} shows settings that the program takes`, () => {
      const settings = blocks(page, "yaml").filter((text) => text.includes(`${PROJECT}:`));
      for (const text of settings) {
        const written = configOf(
          /^config:/m.test(text) ? text : `config:\n${text.replace(/^/gm, "  ")}`,
          PROJECT,
          page,
        );
        const base = stackConfig("prod");
        const changes: Mapping = Object.fromEntries(
          Object.entries(written).map(([key, section]) => {
            const below = base[key];
            return [
              key.slice(PROJECT.length + 1),
              isMapping(below) && isMapping(section) ? merge(below, section) : section,
            ];
          }),
        );
        const source = sourceOfStackFile(STACK_FILES, "prod", changes);
        assert.ok(source);
        parseSettings(source);
      }
    });
  }
});
