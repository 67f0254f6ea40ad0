// Bundles the command line, the jobs' command line, the server, its render thread and the console.
//   node script/build.mjs [--if-possible] [--if-stale] [--out FOLDER]
// Plain JavaScript: `npm ci` runs it under whatever Node the machine has.
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleChart } from './bundle-chart.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const flag = (name) => process.argv.includes(name);
const named = flag('--out') ? process.argv[process.argv.indexOf('--out') + 1] : 'dist';
// A bundle finds the installation from where it lies (packages/runtime/src/installation.ts).
const dist = join(root, 'apps/cli', basename(named));

// `yaml` and others are CommonJS inside: a bundle needs `require`. A variable, for fflate makes one of its own in the same chunk.
const banner = "import { createRequire as __createRequire } from 'node:module'; var require = __createRequire(import.meta.url);";

/** Found at run time beside the bundle: they read files of their own packages. */
const external = [/^@electric-sql\//, /^pg($|-)/, 'rolldown', 'cpu-features'];

/**
 * dockerode also speaks to engines over SSH and to BuildKit over gRPC, and loads all that it takes at once: a third of the server's
 * code and 25 MB of memory. We speak to a Unix socket. In the bundle these parts are not there, and say so.
 */
const absent = ['ssh2', '@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs'];
const leaveOut = {
  name: 'leave-out',
  resolveId: (id) => (absent.includes(id) ? `\0absent:${id}` : null),
  load: (id) =>
    id.startsWith('\0absent:')
      ? `const absent = () => { throw new Error('${id.slice('\0absent:'.length)} is not part of the bundle.'); };
         module.exports = new Proxy(absent, { get: (_, name) => (name === '__esModule' ? false : absent) });`
      : null,
};

/** The same version lies in three packages' folders, for an older one of a test tool has the place at the top. */
const alias = { '@peculiar/x509': join(root, 'packages/cluster/node_modules/@peculiar/x509/build/x509.es.js') };

async function build() {
  const { rolldown } = await import('rolldown');
  const made = mkdtempSync(`${dist}-`);
  try {
    const options = {
      platform: 'node',
      external,
      plugins: [leaveOut],
      resolve: existsSync(alias['@peculiar/x509']) ? { alias } : {},
      onLog: (level, log, handle) => !['EVAL', 'INEFFECTIVE_DYNAMIC_IMPORT'].includes(log.code) && handle(level, log),
    };
    const bundle = async (input, output, { readable = false } = {}) => {
      const program = await rolldown({ ...options, input: join(root, input) });
      // A server's errors name lines; a command's first need is to be small.
      const minify = readable ? false : { compress: true, mangle: false, codegen: { removeWhitespace: true } };
      await program.write({ format: 'esm', minify, banner, ...output });
      await program.close();
    };
    await bundle('apps/cli/src/entry.ts', { dir: made, entryFileNames: 'desp.mjs', chunkFileNames: 'chunks/[name]-[hash].mjs' });
    await bundleChart(rolldown, root, made, options);
    await bundle('apps/cli/src/job-entry.ts', { dir: join(made, 'job'), entryFileNames: 'main.mjs', codeSplitting: false });
    for (const [input, name] of [
      ['apps/platform/src/main.ts', 'platform.mjs'],
      ['apps/platform/src/purge-main.ts', 'purge.mjs'],
      ['apps/platform/src/releases/render-worker.ts', 'render-thread.mjs'],
    ])
      await bundle(input, { dir: made, entryFileNames: name, codeSplitting: false }, { readable: true });
    const digest = await sourcesDigest();
    if (digest) writeFileSync(join(made, 'sources.sha256'), `${digest}\n`);
    // In one step: a command that starts meanwhile finds the old bundle or the new one.
    const old = `${dist}-old-${process.pid}`;
    if (existsSync(dist)) renameSync(dist, old);
    chmodSync(made, 0o755);
    renameSync(made, dist);
    rmSync(old, { recursive: true, force: true });
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  if (existsSync(join(root, 'apps/console/index.html')) && !flag('--out')) {
    const { build: vite } = await import('vite');
    await vite({ root: join(root, 'apps/console'), logLevel: 'warn' });
  }
}

/** Undefined under a Node that does not run TypeScript: then nothing says later whether the bundle is stale. */
const sourcesDigest = () =>
  import('../packages/runtime/src/installation.ts').then(
    (installation) => installation.sourcesDigest(root),
    () => undefined,
  );

const isFresh = async () => {
  if (existsSync(join(root, 'apps/console/index.html')) && !existsSync(join(root, 'apps/console/dist/index.html'))) return false;
  const record = join(dist, 'sources.sha256');
  return existsSync(record) && readFileSync(record, 'utf8').trim() === (await sourcesDigest());
};

try {
  if (!flag('--if-stale') || !(await isFresh())) await build();
} catch (error) {
  // Under an older Node than the project's the bundler may not start: the launcher then runs the sources.
  if (!flag('--if-possible')) throw error;
  console.error(`Not bundled (${error.message}); desp runs from its sources. npm run build bundles it.`);
}
