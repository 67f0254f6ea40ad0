import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  type Diagnosed,
  diagnose,
  formatDiagnosis,
  type NeighbourValues,
  type ProfileName,
  profileOf,
  type RenderResult,
} from '@desp/chart';
import type { Flags } from './flags.ts';
import { HelmError, type Output } from './helm-command.ts';
import type { RenderRequest } from './template.ts';
import { printManifests } from './template-output.ts';

/** Renders past failures: for `--keep-going` and `--json`, and for the hints below a failure. */

/** `--keep-going` prints what can be rendered; `--json` prints all there is to know. @throws HelmError for the last failure */
export function renderOn(request: RenderRequest, helm: ProfileName, flags: Flags, io: Output): void {
  const diagnosed = examine(request);
  const { result, diagnoses } = diagnosed;
  for (const line of result?.warnings ?? []) io.err(`${line}\n`);
  if (flags.isOn('json')) io.out(`${JSON.stringify(asJson(diagnosed))}\n`);
  else if (result) printManifests(result, flags, profileOf(helm).keepTrailingSpace, io);
  const colour = isColoured(io);
  const hints = !flags.isOn('json') && (!flags.has('hints') || flags.isOn('hints'));
  const failures = diagnoses.map((one) => ({ message: one.message, below: hints ? `\n${formatDiagnosis(one, { colour })}` : '' }));
  const last = failures.pop();
  for (const { message, below } of failures) io.err(`Error: ${message}\n${below}\n`);
  if (last) throw new HelmError(last.message, last.below);
}

/** A failure with what helps to mend it below. The chart is rendered once more for that, with a trace. */
export function withHints(failure: unknown, cause: unknown, request: RenderRequest, io: Output): unknown {
  if (!(failure instanceof Error) || !(cause instanceof Error)) return failure;
  const found = examine(request).diagnoses.find((one) => one.message === cause.message);
  if (!found) return failure;
  const text = formatDiagnosis(found, { colour: isColoured(io) });
  return text === '' ? failure : new HelmError(failure.message, `\n${text}`);
}

export const isColoured = (io: Output): boolean => (io.errorTerminal ?? false) && !io.env?.['NO_COLOR'];

const examine = (request: RenderRequest): Diagnosed => diagnose(request.chart, { ...request.options, neighbours: neighboursOf(request) });

const document = ({ source, apiVersion, kind, name, content }: RenderResult['manifests'][number]) => ({
  source,
  apiVersion,
  kind,
  name,
  content,
});

/** The shape that tools read: the same keys whether it failed or not. */
function asJson({ result, diagnoses }: Diagnosed): object {
  return {
    manifests: result?.manifests.map(document) ?? [],
    hooks:
      result?.hooks.map((hook) => ({ ...document(hook), events: hook.events, weight: hook.weight, deletePolicies: hook.deletePolicies })) ??
      [],
    crds: result?.crds ?? [],
    notes: result?.notes ?? '',
    warnings: result?.warnings ?? [],
    failures: diagnoses,
  };
}

/** More files than any service has environments; larger than any values file. */
const mostNeighbours = 50;
const mostBytes = 1024 * 1024;

/** Values files of the folders in which the given ones and the chart lie. */
function neighboursOf({ path, options }: RenderRequest): NeighbourValues[] {
  const given = (options.sources ?? []).flatMap((source) => (source.kind === 'file' ? [source.name] : []));
  const folders = new Set([...given.filter((name) => !/^(https?:|-$)/.test(name)).map((name) => dirname(name)), path]);
  const chartDefaults = join(path, 'values.yaml');
  const names = [...folders].flatMap((folder) => valuesFilesIn(folder).map((name) => join(folder, name)));
  const others = [...new Set(names)].filter((name) => name !== chartDefaults && !given.some((one) => join(one) === name));
  return others.slice(0, mostNeighbours).flatMap((name) => {
    const text = readIfSmall(name);
    return text === undefined ? [] : [{ name, text }];
  });
}

function valuesFilesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^values[\w.-]*\.ya?ml$/.test(basename(name)))
      .sort();
  } catch {
    // An archive, or no folder that may be read: no neighbours.
    return [];
  }
}

function readIfSmall(path: string): string | undefined {
  try {
    const { size } = statSync(path);
    return size <= mostBytes ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
