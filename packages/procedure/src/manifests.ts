import { isJsonMap, type Json, type JsonMap, readYamlFile } from '@desp/fleet';
import { DespError } from '@desp/runtime/errors';
import type { ProfileEnvironment } from './profiles/profile.ts';
import type { RenderedObject, Subject } from './subject.ts';

/** One rendered object with where it comes from. */
export interface Manifest {
  readonly object: JsonMap;
  readonly kind: string;
  readonly name: string;
  /** The template, as a path in the repository. */
  readonly file: string;
  readonly environment: ProfileEnvironment;
}

/** Everything that renders, over all bundles and environments. */
export function manifestsOf(subject: Subject): Manifest[] {
  return subject.renderings.flatMap(({ bundle, environment, outcome }) =>
    outcome.ok
      ? outcome.objects.flatMap((rendered) => {
          const object = parse(rendered);
          return object
            ? [{ object, kind: rendered.kind, name: rendered.name, file: templateFile(bundle.path, rendered.source), environment }]
            : [];
        })
      : [],
  );
}

/** Objects that are no YAML map were reported by the rendering. */
function parse(rendered: RenderedObject): JsonMap | undefined {
  try {
    const { value } = readYamlFile(rendered.source, new TextEncoder().encode(rendered.content));
    return isJsonMap(value) ? value : undefined;
  } catch (error) {
    if (error instanceof DespError) return undefined;
    throw error;
  }
}

/** Helm prefixes the chart's name. */
function templateFile(folder: string, source: string): string {
  const path = /^(templates|charts|crds)\//.test(source) ? source : source.slice(source.indexOf('/') + 1);
  return folder === '' ? path : `${folder}/${path}`;
}

/** The value at a path of keys; undefined where a step is missing. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (current, key) => (isJsonMap(current) && Object.hasOwn(current, key) ? current[key] : undefined),
    value,
  );
}

export const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

/** Pod specs of workloads, Pods and CronJobs. */
export function podSpecOf({ object, kind }: Manifest): JsonMap | undefined {
  const path =
    kind === 'Pod' ? ['spec'] : kind === 'CronJob' ? ['spec', 'jobTemplate', 'spec', 'template', 'spec'] : ['spec', 'template', 'spec'];
  const spec = at(object, ...path);
  return isJsonMap(spec) ? spec : undefined;
}
