import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The rules of the house that no linter knows: who may import whom, how files are called, how long they are. Each message says
 * the cure. Run by `npm run lint`.
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What a pure package may import: besides its own files, only these, and no `node:` module. */
const pure: Readonly<Record<string, readonly string[]>> = {
  model: [],
  chart: [],
  fleet: ['model', 'chart'],
  pipeline: ['model'],
  procedure: ['model', 'chart', 'fleet', 'pipeline'],
  security: ['model'],
  release: ['model', 'security'],
};
/**
 * Files of a pure package that are its edge to Node, exported by a path of their own; and those that only make data, the package
 * that is published, or the page that its tests open.
 */
const nodeEdges = [/^packages\/chart\/(src\/node|publish|test-browser)\//, /\/generate\//, /\/test-data\//];
const neverImported: Readonly<Record<string, readonly string[]>> = { controllers: ['cluster'] };
/**
 * The control plane reaches the parts over their protocols (architecture, rule 1): only `embedded/` may start or hold a part, and of
 * a part's package the rest takes clients, types and constants.
 */
const servers = /^(create(GitHost|GitServer|Registry|VaultServer|ApiServer)|openRegistryStore|startEmbeddedCluster)$/;
const servingRooms = /^apps\/platform\/src\/(embedded\/|rehearsal\.ts$|purge\.ts$)/;
const forbiddenNames = /(^|[-/])(utils?|helpers?|common|misc|manager)([-.]|$)/;
const longestFile = 500;
/** Data tables and what a generator wrote. */
const tables = [/\/generated\//, /\.data\.ts$/, /-table\.ts$/, /\/golden\//, /cases\.ts$/];

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file && !file.startsWith('examples/'));
const faults: string[] = [];
const fault = (file: string, line: number | undefined, message: string) => faults.push(`${file}${line ? `:${line}` : ''}: ${message}`);

for (const file of files) {
  let text: string;
  try {
    text = readFileSync(join(root, file), 'utf8');
  } catch {
    continue;
  }
  const lines = text.split('\n');
  const test = /\.test\.tsx?$/.test(file);
  if (!test && lines.length > longestFile + 1 && !tables.some((pattern) => pattern.test(file))) {
    fault(file, undefined, `${lines.length} lines; at most ${longestFile}. Split it where it has two reasons to change.`);
  }
  if (forbiddenNames.test(file.replace(/^(packages|apps)\/[^/]+\//, '')))
    fault(file, undefined, 'names that say nothing (utils, helpers, common, misc, manager) are not used. Name it after what it does.');
  if (!/^[a-z0-9.$-]+$/.test(basename(file)) && !file.startsWith('apps/console/src')) fault(file, undefined, 'file names are kebab-case.');
  const [, room = '', owner = ''] = /^(packages|apps)\/([^/]+)\//.exec(file) ?? [];
  for (const [index, line] of lines.entries()) {
    const specifier = /^\s*(?:import|export)\b.*?\bfrom\s+'([^']+)'|\bimport\('([^']+)'\)|^\s*\}\s+from\s+'([^']+)'/
      .exec(line)
      ?.slice(1)
      .find(Boolean);
    if (!specifier) continue;
    const [, imported, inside] = /^@desp\/([^/]+)(\/.*)?$/.exec(specifier) ?? [];
    if (imported && inside && !['/errors', '/clock', '/node', '/browser'].includes(inside))
      fault(file, index + 1, `reaches past the public index of @desp/${imported}. Export what you need there.`);
    if (room === 'packages' && imported && ['cli', 'platform', 'console'].includes(imported))
      fault(file, index + 1, 'no package imports an app. Pass in what it needs.');
    if (room === 'apps' && imported && ['cli', 'platform', 'console'].includes(imported) && imported !== owner)
      fault(file, index + 1, 'apps do not import one another. Move what both need into a package.');
    if (test) continue;
    if (/(^|\/)testing\//.test(specifier) && room) fault(file, index + 1, 'production code never imports testing/.');
    if (owner === 'platform' && !servingRooms.test(file)) {
      if (/^\.\.?\/(?:.*\/)?embedded\//.test(specifier) && !/\btype\b/.test(line))
        fault(file, index + 1, 'only embedded/ and rehearsal.ts know that a part is embedded. Take its client from the Platform.');
      for (const name of importedNames(lines, index))
        if (imported && servers.test(name))
          fault(
            file,
            index + 1,
            `${name} starts a part in process. Reach it over its protocol, by its URL: a client of @desp/${imported}.`,
          );
    }
    if (room !== 'packages') continue;
    if (imported && neverImported[owner]?.includes(imported))
      fault(file, index + 1, `${owner} never imports ${imported}: it reaches it over its protocol.`);
    const allowed = pure[owner];
    if (!allowed || nodeEdges.some((pattern) => pattern.test(file))) continue;
    if (specifier.startsWith('node:')) fault(file, index + 1, `${owner} is pure: no node: module. Have the caller pass in what it does.`);
    if (imported === 'runtime' && !['/errors', '/clock'].includes(inside ?? ''))
      fault(file, index + 1, `${owner} is pure: of runtime it takes @desp/runtime/errors only.`);
    if (imported && imported !== 'runtime' && imported !== owner && !allowed.includes(imported))
      fault(file, index + 1, `${owner} may import ${allowed.join(', ') || 'nothing'} only.`);
  }
  if (!test) {
    for (const [index, line] of lines.entries()) {
      if (/import \{[^}]*\bexec(Sync)?\b[^}]*\} from 'node:child_process'/.test(line) || /\bspawn\w*\(.*\bshell:\s*true/.test(line))
        fault(file, index + 1, 'no shell strings: run a program by its argument list (run of @desp/runtime).');
      if (/vi\.mock\(/.test(line)) fault(file, index + 1, 'no module mocks: pass the dependency in.');
    }
  } else if (/vi\.mock\(/.test(text)) fault(file, undefined, 'no module mocks: pass the dependency in.');
}

/** What an import that ends at a line names, whether it stands on one line or on several. */
function importedNames(lines: readonly string[], end: number): string[] {
  let start = end;
  while (start > 0 && !/^\s*(import|export)\b/.test(lines[start] ?? '')) start -= 1;
  const [, names = ''] = /\{([^}]*)\}/.exec(lines.slice(start, end + 1).join(' ')) ?? [];
  return names
    .split(',')
    .map((name) => name.trim().split(/\s+as\s+/)[0] ?? '')
    .filter((name) => name !== '' && !name.startsWith('type '));
}

if (faults.length) {
  process.stderr.write(`${faults.join('\n')}\n${faults.length} faults of the house.\n`);
  process.exit(1);
}
process.stdout.write(`${files.length} files keep the rules of the house.\n`);
