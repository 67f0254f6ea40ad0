// Bundles the command line, the job's command line, the server and the console. Plain JavaScript: `npm ci` runs it under whatever Node
// the machine has.
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const optional = process.argv.includes('--if-possible');

async function build() {
  const { rolldown } = await import('rolldown');
  const dist = join(root, 'apps/cli/dist');
  rmSync(dist, { recursive: true, force: true });
  // `yaml` and others are CommonJS inside: a bundle needs `require`.
  const banner = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";
  const bundle = async (input, output) => {
    const made = await rolldown({
      input: join(root, input),
      platform: 'node',
      external: [/^@electric-sql\//, /^pg($|-)/, 'rolldown', 'cpu-features'],
      logLevel: 'warn',
    });
    await made.write({ format: 'esm', minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } }, banner, ...output });
    await made.close();
  };
  await bundle('apps/cli/src/entry.ts', { dir: dist, entryFileNames: 'desp.mjs', chunkFileNames: 'chunks/[name]-[hash].mjs' });
  await bundle('apps/cli/src/job-entry.ts', { dir: join(dist, 'job'), entryFileNames: 'main.mjs', codeSplitting: false });
  if (existsSync(join(root, 'apps/console/index.html'))) {
    const { build: vite } = await import('vite');
    await vite({ root: join(root, 'apps/console'), logLevel: 'warn' });
  }
}

try {
  await build();
} catch (error) {
  // Under an older Node than the project's the bundler may not start: the launcher then runs the sources.
  if (!optional) throw error;
  console.error(`Not bundled (${error.message}); desp runs from its sources. npm run build bundles it.`);
}
