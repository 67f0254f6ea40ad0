import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ChartError } from '../src/errors.ts';
import { readValues } from '../src/loader/load.ts';
import { nodeCrypto } from '../src/node/crypto.ts';
import { loadChartFrom } from '../src/node/folder.ts';
import { type Profile, type ProfileName, profileOf } from '../src/profile.ts';
import { formatTemplateOutput } from '../src/render/output.ts';
import { render } from '../src/render/render.ts';
import type { ValueMap } from '../src/value/kinds.ts';
import { mergeMaps } from '../src/values/merge.ts';
import { applySet } from '../src/values/set.ts';
import { ConversionError } from '../src/yaml/values.ts';
import { sortReport } from './cases.ts';
import type { ChartCase } from './charts.ts';

/** What `helm template` says to a random chart, and what this package says; alike where they agree. */

/** Addresses of pointers are random in Go, and so is the order in which violations of a schema are named. */
function masked(text: string): string {
  const steady = text.replace(/0xc?[0-9a-f]{9,}/g, '0xADDRESS');
  if (!steady.startsWith("values don't meet the specifications")) return steady;
  return sortReport(steady);
}

/** Writes a chart and its further values file into a folder. */
export function writeCase(folder: string, { files, values }: ChartCase): void {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'chart', path)), { recursive: true });
    writeFileSync(join(folder, 'chart', path), text);
  }
  if (values !== undefined) writeFileSync(join(folder, 'more.yaml'), values);
}

/** Arguments of helm for a case that {@link writeCase} wrote. */
export function helmArguments(folder: string, { values, sets, flags }: ChartCase): string[] {
  const args = ['template', 'r', join(folder, 'chart'), '--namespace', flags.namespace, '--kube-version', flags.kubeVersion];
  if (values !== undefined) args.push('-f', join(folder, 'more.yaml'));
  for (const [kind, text] of sets) args.push(`--${kind}`, text);
  for (const version of flags.apiVersions) args.push('--api-versions', version);
  if (flags.includeCrds) args.push('--include-crds');
  if (flags.isUpgrade) args.push('--is-upgrade');
  if (flags.noHooks) args.push('--no-hooks');
  if (flags.skipTests) args.push('--skip-tests');
  return args;
}

/** What Helm printed, or the message of its failure. */
export function theirOutcome({ status, stdout, stderr }: { status: number; stdout: string; stderr: string }): string {
  if (status === 0) return masked(stdout);
  const message = /^Error: ([\s\S]*)$/m.exec(stderr)?.[1] ?? stderr;
  return masked(message.replace(/(\n\nUse --debug flag to render out invalid YAML)?\n$/, ''));
}

/** A values file, whose name the failure gives. */
function readFile(path: string, text: string, { multiDocumentValues }: Profile): ValueMap {
  try {
    return readValues(text, multiDocumentValues);
  } catch (error) {
    if (error instanceof ConversionError)
      throw new ChartError('VALUES_INVALID', `failed to parse ${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The same of this package. */
export function ourOutcome(folder: string, { values, sets, flags }: ChartCase, name: ProfileName): string {
  const profile = profileOf(name);
  try {
    let given = values === undefined ? new Map() : mergeMaps(new Map(), readFile(join(folder, 'more.yaml'), values, profile));
    for (const kind of ['set-json', 'set', 'set-string', 'set-file', 'set-literal'] as const) {
      for (const [own, text] of sets)
        if (own === kind) given = applySet(kind, text, given, { jsonObject: profile.setJsonObject, openIndexEnds: profile.openIndexEnds });
    }
    const result = render(loadChartFrom(join(folder, 'chart'), { multiDocumentValues: profile.multiDocumentValues }), {
      release: { name: 'r', namespace: flags.namespace, isUpgrade: flags.isUpgrade },
      values: given,
      profile: name,
      kubeVersion: flags.kubeVersion,
      apiVersions: flags.apiVersions,
      includeCrds: flags.includeCrds,
      crypto: nodeCrypto,
    });
    return masked(formatTemplateOutput(result, { noHooks: flags.noHooks, skipTests: flags.skipTests }));
  } catch (error) {
    if (error instanceof ChartError) return masked(error.message);
    throw error;
  }
}
