// Trees as text.

/** A line and what hangs below it. */
export interface TreeNode {
  readonly text: string;
  readonly children?: readonly TreeNode[];
}

/** The root's line, then its children with branches. */
export function renderTree(root: TreeNode): string[] {
  return [root.text, ...branches(root.children ?? [], '')];
}

function branches(nodes: readonly TreeNode[], indent: string): string[] {
  return nodes.flatMap((node, index) => {
    const last = index === nodes.length - 1;
    const below = `${indent}${last ? '   ' : '│  '}`;
    return [`${indent}${last ? '└─ ' : '├─ '}${node.text}`, ...branches(node.children ?? [], below)];
  });
}
