// What differs between two values, by path: for `undo` and `plan`.
import { cutTo } from './render/width.ts';

/** One difference. A missing side is undefined. */
export interface Change {
  /** Such as components.chat.image or strategy.canary.steps[2].setWeight. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** All differences, in the order of the paths. Members that are undefined count as missing. */
export function changesBetween(before: unknown, after: unknown, path = ''): Change[] {
  if (Object.is(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    // Entries with a name are the same entry wherever they stand.
    if (isNamed(before) && isNamed(after)) {
      return [...changesBetween(byName(before), byName(after), path), ...orderChange(before, after, path)];
    }
    return range(Math.max(before.length, after.length)).flatMap((index) =>
      changesBetween(before[index], after[index], `${path}[${index}]`),
    );
  }
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .sort()
      .flatMap((key) => changesBetween(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  return [{ path, before, after }];
}

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

type Plain = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Named extends Plain {
  readonly name: string;
}

const isNamed = (list: readonly unknown[]): list is readonly Named[] =>
  list.every((entry) => isObject(entry) && typeof entry.name === 'string');

const byName = (list: readonly Named[]): Plain => Object.fromEntries(list.map((entry) => [entry.name, entry]));

/** Stands behind the path of a list whose entries have changed places: a variable may speak of those before it. */
const ORDER = '[order]';

function orderChange(before: readonly Named[], after: readonly Named[], path: string): Change[] {
  const [was, is] = [before.map(({ name }) => name), after.map(({ name }) => name)];
  const stayed = was.filter((name) => is.includes(name));
  const moved = is.filter((name) => was.includes(name)).some((name, index) => name !== stayed[index]);
  return moved ? [{ path: `${path}${ORDER}`, before: was, after: is }] : [];
}

/** Values of the environment may be secrets: that they change is said, not what they are. */
const HIDDEN = /(^|[.])env[.[]/;
const VARIABLES = /(^|[.])env$/;
/** Stands for them. */
const INSTEAD = '(hidden)';
const LONGEST = 60;

/** The same difference without the values of variables. Their names stay, where whole lists or components come or go. */
export function withoutValues<C extends Change>(change: C): C {
  const { path, before, after } = change;
  const hide = (value: unknown): unknown => {
    if (value === undefined) return undefined;
    return HIDDEN.test(path) ? INSTEAD : hideIn(value, VARIABLES.test(path));
  };
  return { ...change, before: hide(before), after: hide(after) };
}

/** @param variables the value is a list of variables. */
function hideIn(value: unknown, variables: boolean): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => hideIn(entry, variables));
  if (!isObject(value)) return variables ? INSTEAD : value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) =>
      variables && key === 'value' ? [key, INSTEAD] : [key, hideIn(member, key === 'env')],
    ),
  );
}

/** A difference in words. */
export function describeChange(change: Change): string {
  const { path, before, after } = withoutValues(change);
  if (path.endsWith(ORDER)) return `${path.slice(0, -ORDER.length)} is in another order`;
  if (HIDDEN.test(`.${path}`)) {
    const what = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    return `${path} ${what}`;
  }
  if (before === undefined) return `${path} ${show(after)} added`;
  if (after === undefined) return `${path} ${show(before)} removed`;
  if (Array.isArray(before) && Array.isArray(after)) {
    return `${path} edited: ${entries(before.length)}, then ${entries(after.length)}`;
  }
  return `${path} ${show(before)} → ${show(after)}`;
}

const entries = (count: number): string => `${count} ${count === 1 ? 'entry' : 'entries'}`;

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return cutTo(text, LONGEST);
}
