/**
 * Makes the package that others install: plain JavaScript with declarations, nothing of the rest of this project and
 * no further dependency.
 *
 *   node packages/chart/publish/build.ts FOLDER
 *
 * Principle: the sources are one part of a workspace and run as TypeScript, which Node refuses inside node_modules.
 * So the package is bundled, the base of its errors and the cryptography included; see
 * docs/decisions for why ChartError still extends the project's own error here.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';

const entries = { index: 'index.ts', node: 'node/index.ts', browser: 'browser/index.ts' };
const chart = dirname(import.meta.dirname);
const project = join(chart, '../..');

/** @param out an empty folder, or one that does not exist yet */
export async function buildPackage(out: string): Promise<void> {
  mkdirSync(join(out, 'dist'), { recursive: true });
  await bundle(join(out, 'dist'));
  declare(join(out, 'dist/types'));
  const own = JSON.parse(readFileSync(join(chart, 'package.json'), 'utf8')) as Record<string, unknown>;
  const { name, version, description, license, type } = own;
  const exports = Object.fromEntries(
    Object.entries(entries).map(([entry, source]) => [
      entry === 'index' ? '.' : `./${entry}`,
      { types: `./dist/types/chart/src/${source.replace(/\.ts$/, '.d.ts')}`, default: `./dist/${entry}.js` },
    ]),
  );
  const manifest = { name, version, description, license, type, exports, files: ['dist', 'README.md'], engines: { node: '>=20.16' } };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(chart, 'README.md'), join(out, 'README.md'));
}

async function bundle(out: string): Promise<void> {
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(entries).map(([entry, source]) => [entry, join(chart, 'src', source)])),
    platform: 'node',
    external: [/^node:/],
  });
  const banner = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";
  await build.write({ dir: out, format: 'esm', banner: (chunk) => (chunk.name === 'node' ? banner : '') });
  await build.close();
}

function declare(out: string): void {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const settings = {
    extends: join(project, 'tsconfig.json'),
    compilerOptions: { noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: join(project, 'packages'), outDir: out },
    include: [],
    files: Object.values(entries)
      .map((source) => join(chart, 'src', source))
      .concat(join(chart, 'src/browser/node-forge.d.ts'), join(project, 'packages/runtime/src/errors.ts')),
  };
  const file = join(project, 'node_modules', `.chart-declarations-${process.pid}.json`);
  writeFileSync(file, JSON.stringify(settings));
  try {
    execFileSync(process.execPath, [compiler, '-p', file], { stdio: 'inherit' });
  } finally {
    rmSync(file);
  }
  for (const path of filesBelow(out)) {
    const text = readFileSync(path, 'utf8');
    const base = relative(dirname(path), join(out, 'runtime/src/errors.js'));
    writeFileSync(
      path,
      text.replace(/(from |import\()(['"])(\.[^'"]*)\.ts\2/g, '$1$2$3.js$2').replaceAll("'@desp/runtime/errors'", `'${base}'`),
    );
  }
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });

if (process.argv[1] === import.meta.filename) await buildPackage(process.argv[2] ?? join(chart, 'out'));
