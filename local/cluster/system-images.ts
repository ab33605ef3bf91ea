// The two images that every node needs before it can run anything: pause and CoreDNS.
import { findImage, refOf } from '../images/catalogue.ts';
import type { BuiltImage } from '../images/images.ts';
import type { Progress } from '../progress/progress.ts';

/** References of the two, without building anything. */
export function systemImageRefs(): { readonly pause: string; readonly coredns: string } {
  return { pause: refOf(findImage('pause')), coredns: refOf(findImage('coredns')) };
}

/** Built (or from the cache), not yet loaded. */
export async function systemImages(progress: Progress): Promise<readonly BuiltImage[]> {
  // The builder brings a bundler and more along: it is loaded only where it is needed.
  const { buildImages } = await import('../images/images.ts');
  return await buildImages(['pause', 'coredns'], progress);
}
