import { SecurityError } from '../errors.ts';

/** apk-tools' `lib/apk/db/installed` (apk-db(5)): one record a package, one letter a field. */

export interface AlpinePackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The origin: the aport that built it. */
  readonly origin: string;
  readonly files: readonly string[];
}

const maximumPackages = 20_000;

export function parseApkInstalled(text: string): AlpinePackage[] {
  const packages: AlpinePackage[] = [];
  for (const record of text.split(/\n\n+/)) {
    if (record.trim() === '') continue;
    const fields = new Map<string, string>();
    const files: string[] = [];
    let folder = '';
    for (const line of record.split('\n')) {
      if (line === '') continue;
      if (line[1] !== ':')
        throw new SecurityError(
          'CONTENT_INVALID',
          `The apk records hold the line ${JSON.stringify(line.slice(0, 80))}, which is no field.`,
        );
      const value = line.slice(2);
      if (line[0] === 'F') folder = value;
      else if (line[0] === 'R') files.push(folder === '' ? value : `${folder}/${value}`);
      else fields.set(line[0] as string, value);
    }
    const name = fields.get('P');
    const version = fields.get('V');
    if (!name || !version) throw new SecurityError('CONTENT_INVALID', 'The apk records hold a package without name or version.');
    packages.push({ name, version, architecture: fields.get('A') ?? 'noarch', origin: fields.get('o') ?? name, files });
    if (packages.length > maximumPackages)
      throw new SecurityError('ARCHIVE_LIMIT', `The apk records hold over ${maximumPackages} packages.`);
  }
  return packages;
}
