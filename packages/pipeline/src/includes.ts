import type { SourcePlace } from '@desp/runtime/errors';
import { PipelineError } from './errors.ts';
import { readSourceTree, type SourceMap, type SourceNode } from './source-tree.ts';
import type { CiFile, FetchInclude, IncludeRequest, PipelineContext, ResolvedInclude } from './types.ts';
import { expandText, expandVariables, layer, outsideVariables, pipelineVariables } from './variables.ts';

/** GitLab's own limits are 150 files and 100 levels. */
const limits = { files: 50, depth: 10 } as const;

export type IncludesResult =
  | { readonly ok: true; readonly includes: readonly ResolvedInclude[] }
  | { readonly ok: false; readonly errors: readonly PipelineError[] };

/**
 * Reads everything that a CI file includes, nested ones too, in the order in which they are merged (an included file's own
 * includes before it). Variables in `project`, `ref` and `file` come from the context only, never from the file's own
 * `variables:`, for includes resolve before jobs exist (https://docs.gitlab.com/ci/yaml/includes/#use-variables-with-include).
 */
export async function resolveIncludes(file: CiFile, context: PipelineContext, fetch: FetchInclude): Promise<IncludesResult> {
  const variables = expandVariables(layer(pipelineVariables(context), outsideVariables(context.variables)));
  const resolved: ResolvedInclude[] = [];
  const visit = async (tree: SourceNode, from: IncludeRequest | undefined, path: readonly string[]): Promise<void> => {
    for (const { request, place } of includesOf(tree, from, variables)) {
      const key = includeName(request);
      if (path.includes(key) || path.length >= limits.depth || resolved.length >= limits.files) {
        const why = path.includes(key) ? 'it includes itself' : `there are more than ${limits.files} files or ${limits.depth} levels`;
        throw failed(`Cannot include ${key}: ${why}.`, place, 'Include fewer files.');
      }
      const answer = await fetch(request);
      if (!answer) {
        throw failed(
          `Cannot include ${key}: project, ref or file is not there, or not to be seen by this project.`,
          place,
          'Check project, ref and file, and the variables that they use.',
        );
      }
      const include: ResolvedInclude = { ...request, commit: answer.commit, text: answer.text };
      await visit(readSourceTree(includeName(request), answer.text), include, [...path, key]);
      resolved.push(include);
    }
  };
  try {
    await visit(readSourceTree(file.path, file.text), undefined, [file.path]);
    return { ok: true, includes: resolved };
  } catch (error) {
    if (error instanceof PipelineError) return { ok: false, errors: [error] };
    throw error;
  }
}

/** How an included file is called in messages: `project@ref:file`, or the path alone in the own repository. */
export function includeName(request: IncludeRequest): string {
  return request.project === undefined ? request.file : `${request.project}${request.ref ? `@${request.ref}` : ''}:${request.file}`;
}

interface Requested {
  readonly request: IncludeRequest;
  readonly place: SourcePlace;
}

function includesOf(tree: SourceNode, from: IncludeRequest | undefined, variables: ReadonlyMap<string, string>): Requested[] {
  const include = tree.kind === 'map' ? tree.entries.get('include')?.node : undefined;
  if (!include) return [];
  const items = include.kind === 'list' ? include.items : [include];
  return items.flatMap((item) => {
    if (item.kind === 'map') return fromMap(item, from, variables);
    if (item.kind === 'scalar' && typeof item.value === 'string') return [local(expand(item, variables), item.place, from)];
    throw failed('An include is neither a map nor a path.', item.place, 'Write project, ref and file, or local.');
  });
}

function fromMap(item: SourceMap, from: IncludeRequest | undefined, variables: ReadonlyMap<string, string>): Requested[] {
  for (const [name, entry] of item.entries) {
    if (['project', 'ref', 'file', 'local'].includes(name)) continue;
    throw new PipelineError(
      'KEYWORD_UNSUPPORTED',
      `include: "${name}" is outside the subset.`,
      entry.place,
      'Include with project, ref and file, or with local.',
    );
  }
  const text = (name: string): string | undefined => {
    const node = item.entries.get(name)?.node;
    return node && expand(node, variables);
  };
  const [project, ref, localPath] = [text('project'), text('ref'), text('local')];
  if (localPath !== undefined) {
    if (project !== undefined) throw failed('An include has both project and local.', item.place, 'Keep one of them.');
    return [local(localPath, item.place, from)];
  }
  const file = item.entries.get('file')?.node;
  if (project === undefined || !file) throw failed('An include has no project and file.', item.place, 'Write both, or local.');
  const files = file.kind === 'list' ? file.items : [file];
  return files.map((each) => ({
    request: { project, ...(ref === undefined ? {} : { ref }), file: confined(expand(each, variables), each.place) },
    place: each.place,
  }));
}

/** A local include of an included file means that file's own project and ref. */
function local(path: string, place: SourcePlace, from: IncludeRequest | undefined): Requested {
  if (/^https?:/i.test(path)) throw failed(`Cannot include ${path}: a pipeline reads no other host.`, place, 'Use project, ref and file.');
  const origin = from?.project === undefined ? {} : { project: from.project, ...(from.ref === undefined ? {} : { ref: from.ref }) };
  return { request: { ...origin, file: confined(path, place) }, place };
}

function confined(path: string, place: SourcePlace): string {
  const relative = path.replace(/^\/+/, '');
  const parts = relative.split('/');
  if (relative === '' || relative.length > 1024 || relative.includes('*') || parts.some((part) => part === '..' || part === '.git'))
    throw failed(`Cannot include "${path}": it is no path in the repository.`, place, 'Give one path from the root, without .. and *.');
  return relative;
}

function expand(node: SourceNode, variables: ReadonlyMap<string, string>): string {
  if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.value === '')
    throw failed('A value of include is no text.', node.place, 'Write one text.');
  return expandText(node.value, (name) => {
    const value = variables.get(name);
    if (value !== undefined) return value;
    throw failed(
      `Cannot include "${String(node.value)}": $${name} is not set outside this file; the file's own variables do not count in include.`,
      node.place,
      `Set ${name} for the project or the instance, or write its value.`,
    );
  });
}

const failed = (message: string, place: SourcePlace, cure: string): PipelineError =>
  new PipelineError('INCLUDE_FAILED', message, place, cure);
