import { md5 } from '@noble/hashes/legacy.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** Helm's limit for the name of a release. */
export const maxReleaseName = 53;

const md5Hex = (text: string, length: number): string => bytesToHex(md5(utf8ToBytes(text))).slice(0, length);

/** Shortens to `count` characters: the head, a dash and five digits of a hash; never two dashes in a row. */
export function limitName(name: string, count: number): string {
  if (name.length <= count) return name;
  if (count <= 6) return name.slice(0, count);
  const head = name.slice(0, count - 6);
  return `${head}${head.endsWith('-') ? '' : '-'}${md5Hex(name, 5)}`;
}

/**
 * Fleet's rule for the name of a Bundle and a release (reference `internal/names`): slashes become dashes; capitals and other
 * characters earn a hash, so that two such names stay apart; then lower case, single dashes, at most 53 characters.
 */
export function releaseNameOf(text: string): string {
  const dashed = text.replaceAll('/', '-');
  const isOdd = dashed !== dashed.toLowerCase() || /[^a-zA-Z0-9-]/.test(dashed);
  const clean = (isOdd ? `${dashed}-${md5Hex(dashed, 8)}` : dashed)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/-+/g, '-')
    .replace(/^-|-$/g, '');
  return clean === '' ? md5Hex(text, 24) : limitName(clean, maxReleaseName);
}

/** The Bundle's name of a path in a repository; `optionsFile` when the bundle is driven by another file than fleet.yaml. */
export function bundleName(repository: string, path: string, optionsFile?: string): string {
  const parts = [repository, ...path.split('/').filter((part) => part !== '' && part !== '.')];
  if (optionsFile) parts.push(optionsFile.replace(/\.ya?ml$/, ''));
  return releaseNameOf(parts.join('/'));
}
