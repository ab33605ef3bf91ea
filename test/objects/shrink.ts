// From a failing object to the smallest that fails alike: members and items are left out, one after the other.
import { fieldsOf, isJson, type Json, assistantSchema, type Path, withValue } from './schema.ts';

/**
 * Leaves out as much as possible.
 * @param keep the path that must stay, such as the mistaken field; its parents stay with it.
 * @param stillFails whether a smaller object fails in the same way.
 * @param mostTries how many objects may be tried.
 */
export async function shrinkObject(
  object: Json,
  keep: Path,
  stillFails: (smaller: Json) => Promise<boolean>,
  mostTries = 150,
): Promise<Json> {
  let best = object;
  let tries = 0;
  const attempt = async (smaller: Json): Promise<boolean> => {
    if (tries >= mostTries) return false;
    tries += 1;
    if (!(await stillFails(smaller))) return false;
    best = smaller;
    return true;
  };
  for (let shrunk = true; shrunk && tries < mostTries; ) {
    shrunk = false;
    for (const path of parts(best)) {
      if (isOnTheWay(path, keep)) continue;
      const smaller = without(best, path);
      if (smaller !== null && (await attempt(smaller))) {
        shrunk = true;
        break;
      }
    }
  }
  return best;
}

const schema = assistantSchema();

/** What may be left out, the largest parts first. */
const parts = (object: Json): Path[] =>
  fieldsOf(schema, object)
    .map(({ path }) => path)
    .filter((path) => path.length > 1)
    .sort((a, b) => a.length - b.length);

const isOnTheWay = (path: Path, keep: Path): boolean =>
  path.length <= keep.length && path.every((part, index) => part === keep[index]);

function without(object: Json, path: Path): Json | null {
  const parent = path.slice(0, -1);
  const last = path.at(-1);
  const inner = parent.reduce<unknown>((value, part) => (value as Json)[part], object);
  if (Array.isArray(inner)) return withValue(object, parent, inner.toSpliced(Number(last), 1));
  if (!isJson(inner) || last === undefined) return null;
  return withValue(object, parent, Object.fromEntries(Object.entries(inner).filter(([name]) => name !== last)));
}
