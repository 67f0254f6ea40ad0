import type { OperatingSystem } from '../image/inventory.ts';

/** os-release(5). */

const ecosystems: Readonly<Record<string, (version: string) => string | undefined>> = {
  debian: (version) => (/^\d+/.test(version) ? `Debian:${version.split('.')[0]}` : undefined),
  alpine: (version) => {
    const match = /^(\d+\.\d+)/.exec(version);
    return match ? `Alpine:v${match[1]}` : undefined;
  },
  ubuntu: (version) => {
    const match = /^(\d+)\.(\d+)/.exec(version);
    if (!match) return undefined;
    // Long-term releases come in April of even years; OSV marks them.
    return Number(match[1]) % 2 === 0 && match[2] === '04' ? `Ubuntu:${version}:LTS` : `Ubuntu:${version}`;
  },
};

const unquote = (value: string): string => {
  const match = /^(["'])(.*)\1$/s.exec(value);
  return (match ? (match[2] as string) : value).replace(/\\([\\"'$`])/g, '$1');
};

/** The operating system that an `os-release` file names; undefined when it names none. */
export function parseOsRelease(text: string): OperatingSystem | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim());
    if (match) fields.set(match[1] as string, unquote(match[2] as string));
  }
  const id = fields.get('ID');
  if (!id) return undefined;
  const versionId = fields.get('VERSION_ID') ?? '';
  const ecosystem = ecosystems[id]?.(versionId);
  return { id, versionId, prettyName: fields.get('PRETTY_NAME') ?? `${id} ${versionId}`.trim(), ...(ecosystem ? { ecosystem } : {}) };
}
