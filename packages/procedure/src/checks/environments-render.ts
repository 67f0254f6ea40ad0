import { isJsonMap, type JsonMap, mergeValues, readYamlMap } from '@desp/fleet';
import { DespError } from '@desp/runtime/errors';
import type { Found } from '../report.ts';
import type { Rendering, Subject } from '../subject.ts';
import type { Check } from './check.ts';

export const environmentsRender: Check = {
  id: 'environments-render',
  title: 'Every chart renders for every environment.',
  requirements: ['DESP-DEV-006', 'DESP-DEV-007'],
  run: (subject) =>
    subject.renderings.flatMap((rendering) => (rendering.outcome.ok ? [] : [explain(subject, rendering, rendering.outcome.error)])),
};

/**
 * Says which block of values is missing where others of the same chart render: a block is named only after the chart did
 * render with it added, so it is the reason and no guess.
 */
function explain(subject: Subject, rendering: Rendering, error: Error): Found {
  const { bundle, environment, target } = rendering;
  const valuesFiles = target.customizations.flatMap((name) => bundle.valuesFiles.get(name) ?? []);
  const file = valuesFiles.at(-1) ?? bundle.file ?? bundle.path;
  const reason = error.message.trim().replace(/\s*\n\s*/g, ' ');
  const base = { severity: 'error' as const, environments: [environment.name] };
  const missing = missingBlocks(subject, rendering);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => `"${name}"`).join(', ');
    return {
      ...base,
      message: `The chart in ${bundle.path} does not render for ${environment.name}: ${file} has no ${names}. ${reason}`,
      file,
      line: 1,
      cure: `Add ${names} to ${file}, as in ${[...new Set(missing.map(({ from }) => from))].join(', ')}; or give it a default in values.yaml.`,
    };
  }
  const where = error instanceof DespError ? error.where : undefined;
  return {
    ...base,
    message: `The chart in ${bundle.path} does not render for ${environment.name}: ${reason}`,
    file: where ? `${bundle.path}/${where.file}` : file,
    ...(where?.line === undefined ? {} : { line: where.line }),
    cure: `${error instanceof DespError && error.cure ? `${error.cure} ` : ''}"desp chart template --hints" with ${file} shows more.`,
  };
}

/** At most this many blocks are tried: each costs a rendering. */
const triesLimit = 12;

function missingBlocks(subject: Subject, rendering: Rendering): { name: string; from: string }[] {
  const own = rendering.target.spec.options.helm?.values ?? {};
  const defaults = chartDefaults(rendering);
  const present = mergeValues(defaults, own);
  const others = subject.renderings.filter((other) => other.bundle === rendering.bundle && other.outcome.ok);
  const candidates = new Map<string, { value: JsonMap[string]; from: string }>();
  for (const other of others)
    for (const [name, value] of Object.entries(other.target.spec.options.helm?.values ?? {}))
      if (!Object.hasOwn(present, name) && !candidates.has(name)) {
        const files = other.target.customizations.flatMap((customization) => other.bundle.valuesFiles.get(customization) ?? []);
        candidates.set(name, { value, from: files.at(-1) ?? other.environment.name });
      }
  const tried = [...candidates].slice(0, triesLimit);
  for (const [name, { value, from }] of tried) if (subject.render(rendering, { ...own, [name]: value }).ok) return [{ name, from }];
  const all = Object.fromEntries(tried.map(([name, { value }]) => [name, value]));
  return tried.length > 1 && subject.render(rendering, { ...own, ...all }).ok ? tried.map(([name, { from }]) => ({ name, from })) : [];
}

/** The chart's own values.yaml; nothing when it cannot be read, for then the rendering says so itself. */
function chartDefaults({ bundle }: Rendering): JsonMap {
  const resource = bundle.bundle.spec.resources.find(({ name }) => name === 'values.yaml');
  if (!resource || resource.encoding !== undefined) return {};
  try {
    const values = readYamlMap('values.yaml', new TextEncoder().encode(resource.content));
    return isJsonMap(values) ? values : {};
  } catch (error) {
    if (error instanceof DespError) return {};
    throw error;
  }
}
