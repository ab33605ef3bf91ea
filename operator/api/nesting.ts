// How deep values are nested. The API server stores ten thousand levels where a field may hold anything; code that walks them by recursion does not bear that.

/** Of a pod template: the API of Kubernetes goes down eleven. */
export const TEMPLATE_LEVELS = 32;

/** The value with null in the place of every object and list further down than so many levels; the very value when there are none. */
export function cutNesting<T>(value: T, levels: number): T {
  if (typeof value !== 'object' || value === null || !nestsDeeper(value, levels)) return value;
  if (levels === 0) return null as T;
  if (Array.isArray(value)) return value.map((each: unknown) => cutNesting(each, levels - 1)) as T;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, cutNesting(each, levels - 1)])) as T;
}

/** Whether there are objects or lists further down than so many levels. */
export function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => nestsDeeper(each, levels - 1));
}
