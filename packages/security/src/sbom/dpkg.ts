import { SecurityError } from '../errors.ts';

/** dpkg's records (deb-control(5), dpkg-query(1)): which packages are installed and which files are theirs. */

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly source: { readonly name: string; readonly version: string };
}

const maximumPackages = 20_000;

/** One control paragraph's fields, folded lines dropped (none of the fields read here may fold). */
function* paragraphs(text: string): Generator<Map<string, string>> {
  let fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') {
      if (fields.size > 0) yield fields;
      fields = new Map();
      continue;
    }
    if (line.startsWith(' ') || line.startsWith('\t')) continue;
    const colon = line.indexOf(':');
    if (colon < 1)
      throw new SecurityError('CONTENT_INVALID', `The dpkg records hold the line ${JSON.stringify(line.slice(0, 80))}, which is no field.`);
    fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  if (fields.size > 0) yield fields;
}

/**
 * The packages of `var/lib/dpkg/status` whose files are unpacked. Records under `status.d` (distroless images) have no
 * Status field and count as installed.
 */
export function parseDpkgStatus(text: string): DebianPackage[] {
  const packages: DebianPackage[] = [];
  for (const fields of paragraphs(text)) {
    const status = fields.get('status')?.split(/\s+/)[2];
    if (status === 'not-installed' || status === 'config-files') continue;
    const name = fields.get('package');
    const version = fields.get('version');
    if (!name || !version)
      throw new SecurityError(
        'CONTENT_INVALID',
        `The dpkg records hold a package without ${name ? 'version' : 'name'}${name ? ` (${name})` : ''}.`,
      );
    const source = /^(\S+)(?:\s+\(([^)]+)\))?$/.exec(fields.get('source') ?? name);
    if (!source) throw new SecurityError('CONTENT_INVALID', `The dpkg record of ${name} has an unreadable Source field.`);
    packages.push({
      name,
      version,
      architecture: fields.get('architecture') ?? 'all',
      source: { name: source[1] as string, version: source[2] ?? version },
    });
    if (packages.length > maximumPackages)
      throw new SecurityError('ARCHIVE_LIMIT', `The dpkg records hold over ${maximumPackages} packages.`);
  }
  return packages;
}

/** The paths of a `NAME.list` file (absolute in it), relative. */
export const parseFileList = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/^\/+/, ''))
    .filter((path) => path !== '' && path !== '.');

/** The paths of a `NAME.md5sums` file: 32 hex digits, two blanks, path. */
export const parseMd5Sums = (text: string): string[] =>
  text.split('\n').flatMap((line) => {
    const match = /^[0-9a-f]{32} [ *](.+)$/.exec(line);
    return match ? [(match[1] as string).replace(/^(?:\.?\/)+/, '')] : [];
  });
