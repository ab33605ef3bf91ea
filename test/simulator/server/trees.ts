// Objects as plain JSON trees: the operations on them that an API server needs. Nothing here changes what it is given.

export type Tree = Readonly<Record<string, unknown>>;

export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The member as a tree; empty when it is none. */
export const treeAt = (tree: Tree, name: string): Tree => {
  const value = tree[name];
  return isTree(value) ? value : {};
};

/** JSON merge patch (RFC 7386): null removes, lists are replaced. */
export const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isTree(patch)) return patch;
  const merged = new Map<string, unknown>(isTree(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
};

/** A tree without some members. */
export const without = (tree: Tree, ...names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(tree).filter(([name]) => !names.includes(name)));

/** Makes a tree unchangeable in its whole depth: what is stored is shared with all who read it. */
export const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) freeze(member);
  }
  return value;
};
