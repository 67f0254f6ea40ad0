import { PipelineError } from './errors.ts';
import type { SourceEntry, SourceMap, SourceNode } from './source-tree.ts';

/** GitLab's deep merge: maps are merged key by key, lists and scalars of `over` replace; places stay those of the winner. */
export function mergeNodes(base: SourceNode, over: SourceNode): SourceNode {
  return base.kind === 'map' && over.kind === 'map' ? mergeMaps(base, over) : over;
}

/** The same for two maps; keys of `base` come first. */
export function mergeMaps(base: SourceMap, over: SourceMap): SourceMap {
  const entries = new Map<string, SourceEntry>(base.entries);
  for (const [name, entry] of over.entries) {
    const earlier = entries.get(name);
    entries.set(name, earlier ? { place: entry.place, node: mergeNodes(earlier.node, entry.node) } : entry);
  }
  return { kind: 'map', entries, place: over.place };
}

/** GitLab refuses more than ten levels of `extends`. */
const extendsDepth = 10;

/**
 * Resolves `extends` of every job (https://docs.gitlab.com/ci/yaml/#extends): of several parents a later one wins, the job
 * itself over all. Returns the jobs without `extends`. A job whose parents are wrong is left out and stands in `errors`.
 */
export function resolveExtends(jobs: ReadonlyMap<string, SourceEntry>): { jobs: Map<string, SourceEntry>; errors: PipelineError[] } {
  const done = new Map<string, SourceEntry>();
  const errors: PipelineError[] = [];
  const depths = new Map<string, number>();
  const resolve = (name: string, path: readonly string[]): SourceEntry => {
    const earlier = done.get(name);
    if (earlier) return earlier;
    const entry = jobs.get(name) as SourceEntry;
    const parents = entry.node.kind === 'map' ? parentsOf(name, entry.node) : [];
    if (path.length > extendsDepth) throw tooDeep(name, entry);
    const bases = parents.map((parent) => resolveParent(name, parent, [...path, name]));
    // Counted from below: what lies on the path depends on where the resolution began.
    const depth = Math.max(0, ...parents.map((parent) => (depths.get(parent.name) ?? 0) + 1));
    if (depth > extendsDepth) throw tooDeep(name, entry);
    depths.set(name, depth);
    const merged = bases.length > 0 ? [...bases, entry.node as SourceMap].reduce(mergeMaps) : undefined;
    const result = merged ? { place: entry.place, node: { ...merged, entries: without(merged.entries, 'extends') } } : entry;
    done.set(name, result);
    return result;
  };
  const resolveParent = (name: string, parent: Parent, path: readonly string[]): SourceMap => {
    if (path.includes(parent.name)) {
      const circle = [...path.slice(path.indexOf(parent.name)), parent.name].join(' → ');
      throw new PipelineError('EXTENDS_INVALID', `extends goes round in a circle: ${circle}.`, parent.place, 'Break the circle.');
    }
    const target = jobs.get(parent.name);
    if (!target) {
      const known = [...jobs.keys()].filter((job) => job.startsWith('.')).sort();
      throw new PipelineError(
        'EXTENDS_INVALID',
        `Job "${name}" extends "${parent.name}", which neither this file nor its includes define.`,
        parent.place,
        known.length > 0 ? `Templates that exist: ${known.slice(0, 20).join(', ')}.` : 'Include the templates that define it.',
      );
    }
    const resolved = resolve(parent.name, path).node;
    if (resolved.kind !== 'map')
      throw new PipelineError('EXTENDS_INVALID', `"${parent.name}", which "${name}" extends, is no map.`, target.place, 'Make it a job.');
    return resolved;
  };
  for (const name of jobs.keys()) {
    try {
      resolve(name, []);
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      // A hidden job that nothing visible uses harms nobody; whoever extends it reports it.
      if (!name.startsWith('.')) errors.push(error);
    }
  }
  // Keeps the file's order, which is not the order of resolution.
  const ordered = new Map<string, SourceEntry>();
  for (const name of jobs.keys()) {
    const entry = done.get(name);
    if (entry) ordered.set(name, entry);
  }
  return { jobs: ordered, errors };
}

const tooDeep = (name: string, entry: SourceEntry): PipelineError =>
  new PipelineError(
    'EXTENDS_INVALID',
    `Job "${name}" stands more than ${extendsDepth} levels deep in extends.`,
    entry.place,
    'Merge some of the levels.',
  );

interface Parent {
  readonly name: string;
  readonly place: SourceNode['place'];
}

function parentsOf(job: string, node: SourceMap): Parent[] {
  const value = node.entries.get('extends')?.node;
  if (!value) return [];
  const items = value.kind === 'list' ? value.items : [value];
  return items.map((item) => {
    if (item.kind !== 'scalar' || typeof item.value !== 'string')
      throw new PipelineError('EXTENDS_INVALID', `extends of job "${job}" is no name or list of names.`, item.place, 'Name the jobs.');
    return { name: item.value, place: item.place };
  });
}

function without(entries: ReadonlyMap<string, SourceEntry>, name: string): Map<string, SourceEntry> {
  const copy = new Map(entries);
  copy.delete(name);
  return copy;
}
