// Finds the mutation sites of a source file by rule, with the TypeScript compiler.
//
// Left out, by rule: types (they do nothing at run time), and whatever stands inside a template string with insertions, for these are the messages for
// people. Their wording is tested where it matters (operator/rollout/waits.test.ts); the conditions around them are sites like all others.
import ts from 'typescript';
import { type Operator, OPERATORS, type Site } from './sites.ts';

/** A change before it has a name. */
interface Edit {
  readonly operator: Operator;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** Operators that are exchanged for one another, token by token. */
const EXCHANGED = new Map<ts.SyntaxKind, { readonly operator: Operator; readonly by: string }>([
  [ts.SyntaxKind.LessThanToken, { operator: 'boundary', by: '<=' }],
  [ts.SyntaxKind.LessThanEqualsToken, { operator: 'boundary', by: '<' }],
  [ts.SyntaxKind.GreaterThanToken, { operator: 'boundary', by: '>=' }],
  [ts.SyntaxKind.GreaterThanEqualsToken, { operator: 'boundary', by: '>' }],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, { operator: 'equality', by: '!==' }],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, { operator: 'equality', by: '===' }],
  [ts.SyntaxKind.PlusToken, { operator: 'arithmetic', by: '-' }],
  [ts.SyntaxKind.MinusToken, { operator: 'arithmetic', by: '+' }],
  [ts.SyntaxKind.AsteriskToken, { operator: 'arithmetic', by: '/' }],
  [ts.SyntaxKind.SlashToken, { operator: 'arithmetic', by: '*' }],
  [ts.SyntaxKind.PlusEqualsToken, { operator: 'arithmetic', by: '-=' }],
  [ts.SyntaxKind.MinusEqualsToken, { operator: 'arithmetic', by: '+=' }],
]);

/** 0 and 1 are exchanged, 100 (all of the traffic) misses by one. Other numbers are measures, not borders. */
const CONSTANTS: Readonly<Record<string, string>> = { '0': '1', '1': '0', '100': '99' };

/** Methods that are exchanged for one another. */
const METHODS: Readonly<Record<string, string>> = { some: 'every', every: 'some', min: 'max', max: 'min' };

/** Methods whose argument is a condition. */
const TAKES_CONDITION = new Set(['filter', 'some', 'every', 'find', 'findIndex']);

/**
 * All sites of a file, in the order of the text.
 * @param source a file of the program that the checker belongs to.
 * @param file its name relative to operator/rollout; becomes part of the ids.
 */
export function findSites(source: ts.SourceFile, checker: ts.TypeChecker, file: string): Site[] {
  const edits: Edit[] = [];
  const visit = (node: ts.Node): void => {
    if (isOutside(node)) return;
    edits.push(...editsAt(node, source, checker));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return OPERATORS.flatMap((operator) =>
    edits
      .filter((edit) => edit.operator === operator)
      .sort((a, b) => a.start - b.start || a.end - b.end)
      .map((edit, index) => ({ id: `${file}/${operator.replaceAll(' ', '-')}/${index + 1}`, file, ...edit })),
  );
}

/** Types, imports and messages. */
const isOutside = (node: ts.Node): boolean =>
  ts.isTypeNode(node) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isImportDeclaration(node) ||
  ts.isExportDeclaration(node) ||
  ts.isTemplateExpression(node);

function editsAt(node: ts.Node, source: ts.SourceFile, checker: ts.TypeChecker): Edit[] {
  const edit = (operator: Operator, what: ts.Node, replacement: string): Edit => ({
    operator,
    start: what.getStart(source),
    end: what.getEnd(),
    replacement,
  });
  const text = (what: ts.Node): string => what.getText(source);
  const found: Edit[] = [];
  if (isCondition(node)) found.push(edit('negate', node, `!(${text(node)})`));
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    found.push(edit('negate', node, `(${text(node.operand)})`));
  if (ts.isBinaryExpression(node)) found.push(...binaryEdits(node, edit, text, checker));
  if (ts.isNumericLiteral(node)) {
    const by = CONSTANTS[node.text];
    if (by !== undefined) found.push(edit('constant', node, by));
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) found.push(edit('boolean', node, 'false'));
  if (node.kind === ts.SyntaxKind.FalseKeyword) found.push(edit('boolean', node, 'true'));
  if (ts.isStringLiteral(node)) {
    const other = otherLiteral(node, checker);
    if (other !== null) found.push(edit('literal', node, `'${other}'`));
  }
  if (ts.isIfStatement(node) && node.elseStatement === undefined && leaves(node.thenStatement))
    found.push(edit('early return', node, nothingAt(node)));
  if (ts.isExpressionStatement(node)) found.push(edit('statement', node, nothingAt(node)));
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { name, expression } = node.expression;
    if (name.text === 'filter') found.push(edit('filter', node, text(expression)));
    const by = METHODS[name.text];
    if (by !== undefined) found.push(edit('method', name, by));
  }
  if (ts.isArrayLiteralExpression(node)) {
    for (const element of node.elements) if (ts.isSpreadElement(element)) found.push(edit('spread', element, '...[]'));
  }
  return found;
}

function binaryEdits(
  node: ts.BinaryExpression,
  edit: (operator: Operator, what: ts.Node, replacement: string) => Edit,
  text: (what: ts.Node) => string,
  checker: ts.TypeChecker,
): Edit[] {
  const { left, right, operatorToken } = node;
  const exchange = EXCHANGED.get(operatorToken.kind);
  if (exchange !== undefined) {
    // A + between texts is not arithmetic.
    const counts = exchange.operator !== 'arithmetic' || [left, right].every((side) => isNumber(side, checker));
    return counts ? [edit(exchange.operator, operatorToken, exchange.by)] : [];
  }
  // In brackets, whole: && binds closer than ||.
  if (operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken)
    return [edit('logical', node, `((${text(left)}) || (${text(right)}))`)];
  if (operatorToken.kind === ts.SyntaxKind.BarBarToken)
    return [edit('logical', node, `((${text(left)}) && (${text(right)}))`)];
  // With the assertion, or hardly any of them would pass the type check.
  if (operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) return [edit('default', node, `(${text(left)})!`)];
  return [];
}

const isNumber = (node: ts.Expression, checker: ts.TypeChecker): boolean =>
  (checker.getTypeAtLocation(node).flags & ts.TypeFlags.NumberLike) !== 0;

/** A condition that no other operator turns round: not a comparison, and not made of smaller conditions. */
function isCondition(node: ts.Node): node is ts.Expression {
  if (!ts.isExpression(node) || !standsAsCondition(node)) return false;
  const bare = ts.isParenthesizedExpression(node) ? node.expression : node;
  if (ts.isPrefixUnaryExpression(bare) && bare.operator === ts.SyntaxKind.ExclamationToken) return false;
  if (!ts.isBinaryExpression(bare)) return true;
  const { kind } = bare.operatorToken;
  return kind !== ts.SyntaxKind.EqualsEqualsEqualsToken && kind !== ts.SyntaxKind.ExclamationEqualsEqualsToken;
}

function standsAsCondition(node: ts.Expression): boolean {
  const { parent } = node;
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent)) return parent.expression === node;
  if (ts.isConditionalExpression(parent) || ts.isForStatement(parent)) return parent.condition === node;
  if (ts.isBinaryExpression(parent)) {
    const { kind } = parent.operatorToken;
    const joined = kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken;
    return joined && !ts.isBinaryExpression(node);
  }
  if (!ts.isArrowFunction(parent) || parent.body !== node) return false;
  const call = parent.parent;
  return (
    ts.isCallExpression(call) &&
    ts.isPropertyAccessExpression(call.expression) &&
    TAKES_CONDITION.has(call.expression.name.text)
  );
}

/** The statement ends what it stands in: return, throw, continue, break, or a block that ends so. */
function leaves(statement: ts.Statement): boolean {
  if (ts.isBlock(statement)) {
    const last = statement.statements.at(-1);
    return last !== undefined && leaves(last);
  }
  return (
    ts.isReturnStatement(statement) ||
    ts.isThrowStatement(statement) ||
    ts.isContinueStatement(statement) ||
    ts.isBreakStatement(statement)
  );
}

/** What stands in the place of a statement that is removed. */
const nothingAt = (statement: ts.Statement): string =>
  ts.isBlock(statement.parent) || ts.isSourceFile(statement.parent) ? '' : ';';

/** The next literal of the closed union that a string belongs to, in the order of the alphabet; null when it belongs to none. */
function otherLiteral(node: ts.StringLiteral, checker: ts.TypeChecker): string | null {
  const type = unionAround(node, checker);
  if (type?.isUnion() !== true) return null;
  const names: string[] = [];
  for (const member of type.types) {
    if (member.isStringLiteral()) names.push(member.value);
    else if ((member.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Null)) === 0) return null;
  }
  names.sort();
  const at = names.indexOf(node.text);
  return at === -1 || names.length < 2 ? null : (names[(at + 1) % names.length] ?? null);
}

function unionAround(node: ts.StringLiteral, checker: ts.TypeChecker): ts.Type | undefined {
  const { parent } = node;
  if (ts.isBinaryExpression(parent)) {
    const other = parent.left === node ? parent.right : parent.left;
    return checker.getTypeAtLocation(other);
  }
  if (ts.isCaseClause(parent)) return checker.getTypeAtLocation(parent.parent.parent.expression);
  return checker.getContextualType(node);
}
