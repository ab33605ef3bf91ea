/** References of the images that the stack runs, and the mark that rolls pods when an image was rebuilt. */
import { DEFAULT_TAGS } from './config.ts';
import type { ImageName, Settings } from './config.ts';

/** Annotation of a pod template: digest of the image behind a tag that may be rebuilt (dev tier). */
export const DIGEST_ANNOTATION = 'assistant-platform.io/image-digest';

/** An image as a pod uses it. */
export interface Image {
  /** Full reference, for example `localhost/assistant/redis:9.1.2`. */
  readonly ref: string;
  /** Repository and tag apart, as Helm values want them. */
  readonly repository: string;
  readonly tag: string;
  /** Annotations for the pod template. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** The image of that name under the settings' registry, tag and digest. */
export function imageOf(settings: Settings, name: ImageName): Image {
  const repository = `${settings.imageRegistry}/${name}`;
  const tag = settings.imageTags[name] ?? DEFAULT_TAGS[name];
  const digest = settings.imageDigests[name];
  return {
    ref: `${repository}:${tag}`,
    repository,
    tag,
    annotations: digest === undefined ? {} : { [DIGEST_ANNOTATION]: digest },
  };
}
