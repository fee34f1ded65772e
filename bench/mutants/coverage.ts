import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/**
 * Files that a file of the worker reaches: what it imports, resolves, bundles or runs, by any path that it writes.
 *
 * @param root folder of the worker's package
 * @param file path from there
 */
export function reachedFrom(root: string, file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const next of pathsIn(root, file)) reachedFrom(root, next, seen);
  return seen;
}

function pathsIn(root: string, file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.ES2023);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    // Types alone are no reason to run a test.
    if (ts.isImportDeclaration(node) && node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
      return;
    if (ts.isStringLiteral(node)) {
      const base = node.text.startsWith(".") ? join(root, dirname(file)) : root;
      const path = sourceAt(join(base, node.text));
      if (path !== undefined) found.push(relative(root, path));
    }
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

const sourceAt = (path: string): string | undefined =>
  [path, `${path}.ts`, join(path, "index.ts")].find(
    (candidate) => candidate.endsWith(".ts") && existsSync(candidate) && statSync(candidate).isFile(),
  );
