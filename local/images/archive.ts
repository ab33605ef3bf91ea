// Writes an image as one OCI archive (image-spec, image-layout.md), which `ctr images import`, `docker load`,
// `podman load`, `kind load image-archive`, `k3d image import` and `minikube image load` read.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { LAYER_MEDIA_TYPE, type Layer } from './layers.ts';
import type { ContainerConfig } from './plan.ts';
import { packTar, type TarEntry } from './tar.ts';

/** An image in its parts. */
export interface ImageParts {
  /** Full reference with tag, such as `localhost/assistant/chat:1.0.0`. */
  readonly ref: string;
  readonly config: ContainerConfig;
  readonly layers: readonly Layer[];
}

/** What identifies a written image. */
export interface ImageIdentity {
  /** `sha256:...` of the manifest: what `name@sha256:...` means. */
  readonly digest: string;
  /** `sha256:...` of the config: what the kubelet and Docker call the image id. */
  readonly configDigest: string;
}

// Nothing in an image may depend on when it was built.
const EPOCH = '1970-01-01T00:00:00Z';
const MANIFEST_MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/**
 * Writes the archive; the same parts give the same bytes.
 *
 * @param image - what to write
 * @param file - where to; replaced if it is there
 * @param architecture - in Go's words (`amd64`, `arm64`)
 */
export async function writeArchive(image: ImageParts, file: string, architecture: string): Promise<ImageIdentity> {
  const config = blob({
    created: EPOCH,
    architecture,
    os: 'linux',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.diffId) },
    history: image.layers.map((layer) => ({ created: EPOCH, created_by: layer.created })),
  });
  const manifest = blob({
    schemaVersion: 2,
    mediaType: MANIFEST_MEDIA_TYPE,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.bytes.length },
    layers: image.layers.map(({ digest, size }) => ({ mediaType: LAYER_MEDIA_TYPE, digest, size })),
  });
  const index = blob({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: MANIFEST_MEDIA_TYPE,
        digest: manifest.digest,
        size: manifest.bytes.length,
        platform: { os: 'linux', architecture },
        // The first is the specification's (the tag), the second is where containerd looks for the whole reference.
        annotations: { 'org.opencontainers.image.ref.name': tagOf(image.ref), 'io.containerd.image.name': image.ref },
      },
    ],
  });
  // What `docker load` of older versions reads instead of index.json.
  const docker = blob([
    {
      Config: blobPath(config.digest),
      RepoTags: [image.ref],
      Layers: image.layers.map((layer) => blobPath(layer.digest)),
    },
  ]);
  const entries: TarEntry[] = [
    plainFile('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
    plainFile('index.json', index.bytes),
    plainFile('manifest.json', docker.bytes),
    plainFile(blobPath(config.digest), config.bytes),
    plainFile(blobPath(manifest.digest), manifest.bytes),
    ...image.layers.map((layer) => plainFile(blobPath(layer.digest), { file: layer.file, size: layer.size })),
  ];
  await pipeline(packTar(entries), createWriteStream(file));
  return { digest: manifest.digest, configDigest: config.digest };
}

function plainFile(path: string, content: Extract<TarEntry, { type: 'file' }>['content']): TarEntry {
  return { type: 'file', path, mode: 0o644, uid: 0, gid: 0, content };
}

function blob(value: unknown): { bytes: Buffer; digest: string } {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

function blobPath(digest: string): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

function tagOf(ref: string): string {
  return ref.slice(ref.lastIndexOf(':') + 1);
}
