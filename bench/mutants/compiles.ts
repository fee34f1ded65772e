import { join } from "node:path";
import ts from "typescript";
import { checkout } from "../../common/paths";
import { mutated } from "./mutations";
import type { Mutant } from "./report";

/** Of what the compiler says about a mutant, that a name is not used any more is no reason that it could not run. */
const UNUSED = [6133, 6138, 6192, 6196, 6198];

/** Tells which mutants the compiler takes: it notices the others before any test does. */
export class Compiler {
  private readonly texts = new Map<string, { text: string; version: number }>();
  private readonly service: ts.LanguageService;

  constructor(private readonly worker = join(checkout, "worker")) {
    const { config } = ts.readConfigFile(join(worker, "tsconfig.json"), (path) => ts.sys.readFile(path)) as {
      config: unknown;
    };
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, worker);
    this.service = ts.createLanguageService({
      getCompilationSettings: () => options,
      getCurrentDirectory: () => worker,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      getScriptFileNames: () => fileNames.filter((name) => name.startsWith(join(worker, "src"))),
      getScriptVersion: (name) => String(this.texts.get(name)?.version ?? 0),
      getScriptSnapshot: (name) => {
        const text = this.texts.get(name)?.text ?? ts.sys.readFile(name);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      fileExists: (path) => ts.sys.fileExists(path),
      readFile: (path) => ts.sys.readFile(path),
      directoryExists: (path) => ts.sys.directoryExists(path),
      getDirectories: (path) => ts.sys.getDirectories(path),
    });
  }

  /** @param text of the mutant's file without it */
  takes({ file, mutation }: Mutant, text: string): boolean {
    const name = join(this.worker, file);
    this.set(name, mutated(text, mutation));
    const problems = [
      ...this.service.getSyntacticDiagnostics(name),
      ...this.service.getSemanticDiagnostics(name),
    ].filter(({ code }) => !UNUSED.includes(code));
    this.set(name, text);
    return problems.length === 0;
  }

  private set(name: string, text: string): void {
    this.texts.set(name, { text, version: (this.texts.get(name)?.version ?? 0) + 1 });
  }
}
