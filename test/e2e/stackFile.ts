import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { isMapping, merge, PROJECT } from "../../settings/mapping";

/** Settings by key. */
export type Section = Readonly<Record<string, unknown>>;
export const sectionSchema = z.record(z.string(), z.unknown());

/** A stack file in a copy of the checkout, which tests may change. */
export class StackFile {
  private readonly name: string;

  constructor(
    private readonly repository: string,
    private readonly copy: string,
    stack: string,
  ) {
    this.name = `Pulumi.${stack}.yaml`;
  }

  /** Replaces a section by what a function makes of it. */
  change(section: string, change: (value: unknown) => unknown): void {
    const file = join(this.copy, this.name);
    const document = parseDocument(readFileSync(file, "utf8"));
    const path = ["config", `${PROJECT}:${section}`];
    const { config } = z.object({ config: sectionSchema }).parse(document.toJS());
    document.setIn(path, document.createNode(change(config[`${PROJECT}:${section}`])));
    writeFileSync(file, document.toString());
  }

  /** Lays settings over the sections: mappings are merged, lists and scalars replaced. */
  layOver(sections: Section): void {
    for (const [section, settings] of Object.entries(sections)) {
      this.change(section, (value) => {
        // Pulumi keeps the scalars of a stack file as texts.
        if (typeof settings === "boolean") return String(settings);
        return isMapping(value) && isMapping(settings) ? merge(value, settings) : settings;
      });
    }
  }

  /** Undoes every change. */
  restore(): void {
    cpSync(join(this.repository, this.name), join(this.copy, this.name));
  }
}
