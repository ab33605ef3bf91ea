// Who owns which field, and server-side apply by it (kubernetes.io/docs/reference/using-api/server-side-apply, structured-merge-diff).
// A field is a path of names; an item of a list with keys is addressed by its keys, any other list is one field.
import { isDeepStrictEqual } from 'node:util';
import { isTree, type Tree } from './trees.ts';

/** Says how the list at a path is merged: by the values of these members, as a set, or (undefined) as a whole. */
export type ListKeys = (path: readonly string[]) => readonly string[] | 'Set' | undefined;

/** A path as text; steps into keyed items begin with `[`. */
type Path = string;
type Leaves = Map<Path, unknown>;

/** What one manager owns. Apply and Update by the same name are two managers, as in managedFields. */
interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly fields: ReadonlySet<Path>;
}

/** The owners of one object's fields. Immutable. */
export type Owners = readonly Manager[];

/** A field that another manager owns, with another value. */
export interface FieldConflict {
  readonly manager: string;
  readonly field: string;
}

const SEPARATOR = '\u0000';
const text = (steps: readonly string[]): Path => steps.join(SEPARATOR);
const steps = (path: Path): string[] => path.split(SEPARATOR);

/** Never owned: they identify the object, or the server writes them. */
const SYSTEM = new Set(
  [['apiVersion'], ['kind']]
    .concat(
      ['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields'].map(
        (field) => ['metadata', field],
      ),
    )
    .map(text),
);

const itemStep = (item: unknown, keys: readonly string[]): string =>
  `[${JSON.stringify(keys.map((key) => (isTree(item) ? (item[key] ?? null) : null)))}`;

function itemSteps(list: readonly unknown[], keys: readonly string[] | 'Set'): [string, unknown][] {
  return list.map((item) => [keys === 'Set' ? `[${JSON.stringify(item)}` : itemStep(item, keys), item]);
}

/** Every field of an object with its value. */
export function leavesOf(object: Tree, keys: ListKeys): Leaves {
  const leaves: Leaves = new Map();
  const visit = (value: unknown, at: readonly string[]): void => {
    if (SYSTEM.has(text(at)) || value === undefined) return;
    const listKeys = Array.isArray(value) ? keys(namesOnly(at)) : undefined;
    if (isTree(value) && Object.keys(value).length > 0) {
      for (const [name, member] of Object.entries(value)) visit(member, [...at, name]);
    } else if (Array.isArray(value) && listKeys !== undefined && value.length > 0) {
      for (const [step, item] of itemSteps(value, listKeys)) {
        if (listKeys === 'Set' || !isTree(item)) leaves.set(text([...at, step]), item);
        else visit(item, [...at, step]);
      }
    } else if (at.length > 0) leaves.set(text(at), value);
  };
  visit(object, []);
  return leaves;
}

const namesOnly = (at: readonly string[]): string[] => at.filter((step) => !step.startsWith('['));

export type Applied =
  | { readonly kind: 'Conflict'; readonly conflicts: readonly FieldConflict[] }
  | { readonly kind: 'Done'; readonly object: Record<string, unknown>; readonly owners: Owners };

/** Server-side apply of a configuration onto a live object. */
export function applyFields(
  live: Tree,
  owners: Owners,
  config: Tree,
  { manager, force, keys }: { manager: string; force: boolean; keys: ListKeys },
): Applied {
  const wanted = leavesOf(config, keys);
  const has = leavesOf(live, keys);
  const isMine = (each: Manager): boolean => each.name === manager && each.operation === 'Apply';
  const conflicts: FieldConflict[] = [];
  for (const [path, value] of wanted) {
    if (isDeepStrictEqual(has.get(path), value)) continue;
    for (const other of owners)
      if (!isMine(other) && other.fields.has(path))
        conflicts.push({ manager: other.name, field: `.${namesOnly(steps(path)).join('.')}` });
  }
  if (conflicts.length > 0 && !force) return { kind: 'Conflict', conflicts };
  const taken = new Set(
    [...wanted].filter(([path, value]) => !isDeepStrictEqual(has.get(path), value)).map(([path]) => path),
  );
  const others = owners
    .filter((each) => !isMine(each))
    .map((each) => ({ ...each, fields: new Set([...each.fields].filter((path) => !taken.has(path))) }))
    .filter(({ fields }) => fields.size > 0);
  let object = mergeInto(live, config, [], keys) as Record<string, unknown>;
  for (const path of owners.find(isMine)?.fields ?? []) {
    const kept = wanted.has(path) || others.some(({ fields }) => fields.has(path));
    if (!kept) object = removeAt(object, steps(path), [], keys) as Record<string, unknown>;
  }
  const mine: Manager = { name: manager, operation: 'Apply', fields: new Set(wanted.keys()) };
  return { kind: 'Done', object, owners: [...others, mine] };
}

/** The owners after a write that is no apply: the writer owns what it changed. */
export function updateOwners(before: Tree, after: Tree, owners: Owners, manager: string, keys: ListKeys): Owners {
  const had = leavesOf(before, keys);
  const has = leavesOf(after, keys);
  const changed = new Set(
    [...has].filter(([path, value]) => !isDeepStrictEqual(had.get(path), value)).map(([path]) => path),
  );
  const gone = (path: Path): boolean => !has.has(path);
  const isMine = (each: Manager): boolean => each.name === manager && each.operation === 'Update';
  const kept = owners
    .map((each) => ({
      ...each,
      fields: new Set([...each.fields].filter((path) => !gone(path) && (isMine(each) || !changed.has(path)))),
    }))
    .filter(({ fields }) => fields.size > 0);
  if (changed.size === 0) return kept;
  const mine = kept.find(isMine);
  return [
    ...kept.filter((each) => !isMine(each)),
    { name: manager, operation: 'Update', fields: new Set([...(mine?.fields ?? []), ...changed]) },
  ];
}

/** Whether two lists of owners say the same. */
export const sameOwners = (a: Owners, b: Owners): boolean =>
  a.length === b.length &&
  a.every((each) => {
    const other = b.find(({ name, operation }) => name === each.name && operation === each.operation);
    return (
      other !== undefined &&
      other.fields.size === each.fields.size &&
      [...each.fields].every((path) => other.fields.has(path))
    );
  });

function mergeInto(live: unknown, config: unknown, at: readonly string[], keys: ListKeys): unknown {
  if (isTree(config)) {
    const merged = new Map<string, unknown>(isTree(live) ? Object.entries(live) : []);
    for (const [name, value] of Object.entries(config))
      if (value !== undefined && !SYSTEM.has(text([...at, name])))
        merged.set(name, mergeInto(merged.get(name), value, [...at, name], keys));
    return Object.fromEntries(merged);
  }
  const listKeys = Array.isArray(config) ? keys(namesOnly(at)) : undefined;
  if (!Array.isArray(config) || listKeys === undefined || !Array.isArray(live)) return config;
  const items = new Map(itemSteps(live, listKeys));
  for (const [step, item] of itemSteps(config, listKeys))
    items.set(step, mergeInto(items.get(step), item, [...at, step], keys));
  return [...items.values()];
}

/** Removes the field at the path, and what became empty by that. */
function removeAt(value: unknown, path: readonly string[], at: readonly string[], keys: ListKeys): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return undefined;
  if (isTree(value)) {
    const member = removeAt(value[step], rest, [...at, step], keys);
    const left = Object.entries(value).filter(([name]) => name !== step);
    if (member !== undefined) left.push([step, member]);
    return left.length === 0 && at.length > 0 ? undefined : Object.fromEntries(left);
  }
  const listKeys = Array.isArray(value) ? keys(namesOnly(at)) : undefined;
  if (!Array.isArray(value) || listKeys === undefined) return undefined;
  const onlyKeys = (item: unknown): boolean =>
    isTree(item) && listKeys !== 'Set' && Object.keys(item).every((member) => listKeys.includes(member));
  const items = itemSteps(value, listKeys).flatMap(([name, item]) => {
    if (name !== step) return [item];
    // An item's keys go with the item, when nothing else is left of it.
    const isKey = rest.length === 1 && listKeys !== 'Set' && listKeys.includes(rest[0] ?? '');
    const left = rest.length === 0 ? undefined : isKey ? item : removeAt(item, rest, [...at, step], keys);
    return left === undefined || onlyKeys(left) ? [] : [left];
  });
  return items.length === 0 ? undefined : items;
}
