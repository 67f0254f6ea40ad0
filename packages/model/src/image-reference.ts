import { z } from 'zod';
import { Digest } from './ids.ts';

/**
 * An image's name as in `HOST[:PORT]/PATH[:TAG][@DIGEST]` (the grammar of the distribution project's `reference` package,
 * without Docker Hub's short forms: here `alpine:3` has no host, and a cluster of the platform refuses it).
 */
export interface ImageReference {
  readonly host: string | undefined;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

const host = /^(?:localhost|(?:[a-zA-Z0-9-]+\.)+[a-zA-Z0-9-]+|[a-zA-Z0-9-]+(?=:\d+$)|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
export const Tag = z.string().regex(/^\w[\w.-]{0,127}$/, 'a tag: letters, digits, dots, dashes and underscores');

/** The parts, or undefined when the text is no image reference (or over 512 characters). */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length > 512) return undefined;
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : Digest.safeParse(text.slice(at + 1));
  if (digest && !digest.success) return undefined;
  let name = at < 0 ? text : text.slice(0, at);
  let tag: string | undefined;
  const colon = name.lastIndexOf(':');
  if (colon > name.lastIndexOf('/')) {
    tag = name.slice(colon + 1);
    name = name.slice(0, colon);
    if (!Tag.safeParse(tag).success) return undefined;
  }
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = slash > 0 && host.test(first);
  const repository = isHost ? name.slice(slash + 1) : name;
  if (!repository || repository.length > 255 || !repository.split('/').every((part) => component.test(part))) return undefined;
  return { host: isHost ? first : undefined, repository, tag, digest: digest?.data };
}

/** The text form; a digest, when there is one, follows the tag. */
export function formatImageReference(reference: ImageReference): string {
  return `${reference.host ? `${reference.host}/` : ''}${reference.repository}${reference.tag ? `:${reference.tag}` : ''}${reference.digest ? `@${reference.digest}` : ''}`;
}
