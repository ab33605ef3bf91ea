// Label selectors as the API takes them in a query: `a=b,c!=d,e in (x,y),f notin (z),g,!h`.
// Grammar: k8s.io/apimachinery/pkg/labels/selector.go.

/** True when the labels meet the selector. */
export type LabelMatcher = (labels: Record<string, string> | undefined) => boolean;

const clause = /^\s*(?:(!)\s*)?([A-Za-z0-9./_-]+)\s*(?:(==|=|!=)\s*([A-Za-z0-9._-]*)|\s(in|notin)\s*\(([^()]*)\))?\s*$/;

/**
 * Compiles a selector. An empty one matches everything.
 * @throws SyntaxError naming the part that cannot be read.
 */
export const labelMatcher = (selector: string | undefined): LabelMatcher => {
  if (!selector || selector.trim() === '') return () => true;
  // Commas separate clauses, but not inside the brackets of a set.
  const tests = selector.split(/,(?![^()]*\))/).map((part): LabelMatcher => {
    const [, negated, key, operator, value, setOperator, set] = clause.exec(part) ?? [];
    if (key === undefined || (negated && (operator ?? setOperator))) {
      throw new SyntaxError(`label selector "${selector}": cannot read "${part.trim()}"`);
    }
    if (operator === '!=') return (labels) => labels?.[key] !== value;
    if (operator) return (labels) => labels?.[key] === value;
    if (setOperator) {
      const values = new Set((set ?? '').split(',').map((entry) => entry.trim()));
      if (setOperator === 'in') return (labels) => labels?.[key] !== undefined && values.has(labels[key]);
      return (labels) => labels?.[key] === undefined || !values.has(labels[key]);
    }
    return (labels) => (labels?.[key] === undefined) === (negated !== undefined);
  });
  return (labels) => tests.every((test) => test(labels));
};
