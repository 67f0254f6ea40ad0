import { appendFileSync, existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { formatTemplateOutput, matchPath, type RenderResult, splitKeeping, splitTrimming } from '@desp/chart';
import type { Flags } from './flags.ts';
import { HelmError, type Output } from './helm-command.ts';

/** What `helm template` makes of a result: documents on standard output, or files. */

const optionsOf = (flags: Flags) => ({ noHooks: flags.isOn('no-hooks'), skipTests: flags.isOn('skip-tests') });

/** @param manifests what stands for manifests and CRDs after a post-renderer */
export function printManifests(result: RenderResult, flags: Flags, keepTrailingSpace: boolean, io: Output, manifests?: string): void {
  const rest = manifests === undefined ? result : { ...result, crds: [], manifests: [] };
  const text = (manifests?.trim() ?? '') + formatTemplateOutput(rest, optionsOf(flags));
  const wanted = flags.texts('show-only');
  io.out(wanted.length === 0 ? text : showOnly(text, wanted, keepTrailingSpace));
}

/** `--show-only`: the documents of the named templates, in the order of the flags. */
function showOnly(text: string, wanted: readonly string[], keepTrailingSpace: boolean): string {
  const documents = keepTrailingSpace ? splitKeeping(text) : splitTrimming(text);
  let out = '';
  for (const pattern of wanted) {
    const found = documents.filter((document) => {
      const source = /# Source: [^/]+\/(.+)/.exec(document)?.[1];
      return source !== undefined && matchPath(pattern, source);
    });
    if (found.length === 0) throw new HelmError(`could not find template ${pattern} in chart`);
    for (const document of found) out += `---\n${document}\n`;
  }
  return out;
}

/**
 * `--output-dir`: one file per template, its documents one after the other. Names of templates come from the chart:
 * nothing is written outside the folder, and no link inside it is followed.
 */
export function writeManifests(result: RenderResult, releaseName: string, flags: Flags, io: Output): void {
  const { noHooks, skipTests } = optionsOf(flags);
  const folder = flags.text('output-dir') as string;
  const target = flags.isOn('release-name') ? `${folder}/${releaseName}` : folder;
  const written = new Set<string>();
  for (const crd of result.crds) write(folder, crd.source, crd.content, written.has(crd.source), written, io);
  written.clear();
  for (const { source, content } of result.manifests) write(target, source, content, written.has(source), written, io);
  for (const hook of noHooks ? [] : result.hooks) {
    if (skipTests && hook.events.includes('test')) continue;
    // Hooks are appended to whatever is there, as Helm does it.
    write(target, hook.source, hook.content, existsSync(join(target, hook.source)), written, io);
  }
  printManifests({ ...result, manifests: [], hooks: [], crds: [] }, flags, true, io);
}

function write(folder: string, source: string, content: string, append: boolean, written: Set<string>, io: Output): void {
  const path = join(folder, source);
  const root = resolve(folder);
  if (!resolve(path).startsWith(root + sep)) throw new HelmError(`template ${source} would be written outside ${folder}`);
  mkdirSync(root, { recursive: true });
  makeFolders(root, dirname(resolve(path)));
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) throw new HelmError(`${path} is a link: remove it first`);
  const text = `---\n# Source: ${source}\n${content}\n`;
  if (append) appendFileSync(path, text);
  else writeFileSync(path, text);
  written.add(source);
  io.out(`wrote ${folder}/${source}\n`);
}

/** Makes the folders below the root one by one; none of them may be a link. */
function makeFolders(root: string, folder: string): void {
  let path = root;
  for (const part of folder.slice(root.length + 1).split(sep)) {
    path = join(path, part);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status?.isSymbolicLink()) throw new HelmError(`${path} is a link: remove it first`);
    if (!status) mkdirSync(path);
  }
}
