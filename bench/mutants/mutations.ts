import ts from "typescript";

/** One change of a source file that a test should notice. */
export interface Mutation {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** First line of what is changed, counted from 1. */
  readonly line: number;
}

const SWAPPED: Readonly<Partial<Record<ts.SyntaxKind, string>>> = {
  [ts.SyntaxKind.LessThanToken]: "<=",
  [ts.SyntaxKind.LessThanEqualsToken]: "<",
  [ts.SyntaxKind.GreaterThanToken]: ">=",
  [ts.SyntaxKind.GreaterThanEqualsToken]: ">",
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: "!==",
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: "===",
  [ts.SyntaxKind.AmpersandAmpersandToken]: "||",
  [ts.SyntaxKind.BarBarToken]: "&&",
  [ts.SyntaxKind.MinusToken]: "+",
  [ts.SyntaxKind.AsteriskToken]: "/",
  [ts.SyntaxKind.SlashToken]: "*",
};

/**
 * Every mutation of a TypeScript text, in its order: conditions negated, operators swapped, literals changed (numbers by 1,
 * or to 0 where 1 more would not matter), values not returned, calls, awaits, throws and the bodies of catch blocks left out. Types and messages for people stay.
 */
export function mutationsOf(text: string): Mutation[] {
  const file = ts.createSourceFile("source.ts", text, ts.ScriptTarget.ES2023, true);
  const found: Mutation[] = [];
  const replace = (node: ts.Node, replacement: string): void => {
    const start = node.getStart(file);
    const { line } = file.getLineAndCharacterOfPosition(start);
    found.push({ start, end: node.getEnd(), replacement, line: line + 1 });
  };
  const visit = (node: ts.Node): void => {
    if (isLeftAlone(node)) return;
    for (const [target, replacement] of replacementsOf(node, file)) replace(target, replacement);
    node.forEachChild(visit);
  };
  file.forEachChild(visit);
  return found
    .filter(({ start, end, replacement }) => text.slice(start, end) !== replacement)
    .sort((a, b) => a.start - b.start || a.end - b.end);
}

/** What no run can tell apart, or only by its wording. */
const isLeftAlone = (node: ts.Node): boolean =>
  ts.isTypeNode(node) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isImportDeclaration(node) ||
  ts.isExportDeclaration(node);

function replacementsOf(node: ts.Node, file: ts.SourceFile): [ts.Node, string][] {
  const text = (part: ts.Node): string => part.getText(file);
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) {
    return [[node.expression, `!(${text(node.expression)})`]];
  }
  if (ts.isConditionalExpression(node)) return [[node.condition, `!(${text(node.condition)})`]];
  if (ts.isBinaryExpression(node)) return operatorReplacements(node, text);
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return isCondition(node) ? [] : [[node, text(node.operand)]];
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [[node, "false"]];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [[node, "true"]];
  if (ts.isNumericLiteral(node) && !isName(node)) {
    return [[node, Number(node.text) < 100 ? `(${text(node)} + 1)` : "0"]];
  }
  if (ts.isStringLiteral(node)) return isMessage(node) || isName(node) ? [] : [[node, '""']];
  if (ts.isExpressionStatement(node)) return isEffect(node.expression) ? [[node, ";"]] : [];
  if (ts.isReturnStatement(node) && node.expression !== undefined) return [[node.expression, "undefined"]];
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) return [[node.body, "undefined"]];
  if (ts.isThrowStatement(node)) return [[node, ";"]];
  if (ts.isCatchClause(node)) return node.block.statements.length > 0 ? [[node.block, "{}"]] : [];
  if (ts.isAwaitExpression(node)) return [[node, text(node.expression)]];
  return [];
}

function operatorReplacements(
  { left, operatorToken, right }: ts.BinaryExpression,
  text: (node: ts.Node) => string,
): [ts.Node, string][] {
  if (operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) {
    return [[operatorToken.parent, `(${text(left)})`]];
  }
  // A sum may be of texts.
  if (operatorToken.kind === ts.SyntaxKind.PlusToken) {
    return ts.isStringLiteralLike(left) || ts.isStringLiteralLike(right) ? [] : [[operatorToken, "-"]];
  }
  const swapped = SWAPPED[operatorToken.kind];
  return swapped === undefined ? [] : [[operatorToken, swapped]];
}

const isCondition = ({ parent }: ts.Node): boolean =>
  ts.isIfStatement(parent) || ts.isWhileStatement(parent) || ts.isConditionalExpression(parent);

function isEffect(expression: ts.Expression): boolean {
  if (ts.isAwaitExpression(expression) || ts.isVoidExpression(expression))
    return isEffect(expression.expression);
  return ts.isCallExpression(expression) || ts.isBinaryExpression(expression);
}

/** A text of several words. */
const isMessage = ({ text }: ts.StringLiteral): boolean => text === "" || /\s/.test(text);

/** What names a thing rather than being its value: a key, a module, a directive. */
const isName = (node: ts.NumericLiteral | ts.StringLiteral): boolean =>
  ("name" in node.parent && node.parent.name === node) ||
  ts.isElementAccessExpression(node.parent) ||
  ts.isExpressionStatement(node.parent) ||
  ts.isBindingElement(node.parent) ||
  (ts.isCallExpression(node.parent) &&
    (node.parent.expression.kind === ts.SyntaxKind.ImportKeyword ||
      node.parent.expression.getText().startsWith("require")));

/** The text of a file with a mutation. */
export const mutated = (text: string, { start, end, replacement }: Mutation): string =>
  text.slice(0, start) + replacement + text.slice(end);
