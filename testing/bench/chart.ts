import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { applySet, type Chart, formatTemplateOutput, readValues, render, type ValueMap } from '@desp/chart';
import { loadChartFrom, nodeCrypto } from '@desp/chart/node';

/**
 * The chart engine beside Helm: cold processes, renders in one process, one changed value, memory, and how time grows.
 *
 * The two are run in turn, so that a busy machine is unfair to neither; every figure is a median.
 */
export interface ChartBench {
  readonly desp: string;
  /** A helm to compare with. */
  readonly helm: string | undefined;
  /** A folder of `<name>/chart`, for the charts named in `corpusCharts`. */
  readonly corpus: string | undefined;
  /** A checkout of the public service in DESP's layout. */
  readonly cityNexus: string | undefined;
  /** The repository's own root. */
  readonly root: string;
}

const corpusCharts = ['podinfo', 'ingress-nginx', 'cert-manager', 'istiod', 'argo-cd', 'kube-prometheus-stack'];
const kubeVersion = '1.34.1';
const rounds = 15;

interface Subject {
  readonly name: string;
  readonly folder: string;
  readonly values?: string;
  /** A `--set` that few templates read. */
  readonly narrow: string;
}

/** What people change: how many of something. */
const replicas: Readonly<Record<string, string>> = {
  podinfo: 'replicaCount=3',
  'ingress-nginx': 'controller.replicaCount=3',
  'cert-manager': 'replicaCount=3',
  istiod: 'autoscaleMin=3',
  'argo-cd': 'server.replicas=3',
  'kube-prometheus-stack': 'prometheus.prometheusSpec.replicas=3',
};

export function benchChart(setup: ChartBench): void {
  const { helm, corpus } = setup;
  if (!helm) write('Helm: not compared; name one in HELM.');
  if (!corpus) write('Public charts: not measured; name the folder in CORPUS.');
  const subjects = subjectsOf(setup);
  const widths = [24, 8, 8, 7, 9, 8, 9, 9, 9, 7, 9, 7, 9, 9, 7];
  const row = (cells: readonly string[]): void =>
    write(cells.map((cell, index) => (index ? cell.padStart(widths[index] ?? 8) : cell.padEnd(24))).join(' '));
  row([
    'chart',
    'cold',
    'helm',
    'ratio',
    'warm',
    'faster',
    'load',
    'first',
    'broad',
    'faster',
    'narrow',
    'faster',
    'memory',
    'helm',
    'ratio',
  ]);
  for (const subject of subjects) {
    const cold = coldTimes(setup, subject);
    const warm = warmTimes(subject);
    const memory = peakMemory([setup.desp, 'chart', ...templateArguments(subject)]);
    const theirs = helm ? peakMemory([helm, ...templateArguments(subject)]) : undefined;
    row([
      subject.name,
      ms(cold.ours),
      ms(cold.theirs),
      times(cold.ours, cold.theirs),
      ms(warm.again),
      times(cold.theirs, warm.again),
      ms(warm.load),
      ms(warm.first),
      ms(warm.broad),
      times(warm.load + warm.first, warm.broad),
      ms(warm.narrow),
      times(warm.load + warm.first, warm.narrow),
      mebibytes(memory),
      mebibytes(theirs),
      times(memory, theirs),
    ]);
  }
  write('cold: a process. warm: a loaded chart rendered again, nothing kept of what it printed (against the helm process).');
  write('By an engine that is warm: load: a chart from its folder. first: its first render. broad: the same chart with another name,');
  write('which most templates print. narrow: with another number of replicas, which few read. faster: than load and first.');
  benchGrowth(setup);
}

function subjectsOf({ corpus, cityNexus, root }: ChartBench): Subject[] {
  const own = join(root, 'examples/sample-app/deployment');
  const subjects: Subject[] = [{ name: 'sample-app', folder: own, values: join(own, 'values.e2e.yaml'), narrow: 'replicas=3' }];
  if (cityNexus) {
    const folder = join(cityNexus, 'deployment/visualization');
    subjects.push({ name: 'CityNexus visualization', folder, values: join(folder, 'values.desp-ivv.yaml'), narrow: 'replicaCount=3' });
  }
  for (const name of corpus ? corpusCharts : []) {
    const folder = join(corpus as string, name, 'chart');
    if (existsSync(folder)) subjects.push({ name, folder, narrow: replicas[name] as string });
    else write(`${name}: not measured; ${folder} is not there.`);
  }
  return subjects;
}

const templateArguments = ({ folder, values }: Subject): string[] => [
  'template',
  'demo',
  folder,
  '--kube-version',
  kubeVersion,
  ...(values ? ['-f', values] : []),
];

function coldTimes({ desp, helm }: ChartBench, subject: Subject): { ours: number; theirs: number | undefined } {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const mine = timeProcess([desp, 'chart', ...templateArguments(subject)]);
    const other = helm ? timeProcess([helm, ...templateArguments(subject)]) : undefined;
    // The first fills the system's caches.
    if (round === 0) continue;
    ours.push(mine);
    if (other !== undefined) theirs.push(other);
  }
  return { ours: median(ours), theirs: helm ? median(theirs) : undefined };
}

function timeProcess([program, ...args]: readonly string[]): number {
  const started = performance.now();
  const result = spawnSync(program as string, args, { stdio: 'ignore' });
  if (result.error) throw result.error;
  return performance.now() - started;
}

/** Largest resident memory of a process in bytes, as GNU time tells it; undefined where that is not installed. */
function peakMemory(argv: readonly string[]): number | undefined {
  const { stderr, error } = spawnSync('/usr/bin/time', ['-f', '%M', ...argv], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  return error ? undefined : Number(stderr.trim().split('\n').at(-1)) * 1024;
}

interface WarmTimes {
  readonly again: number;
  readonly load: number;
  readonly first: number;
  readonly broad: number;
  readonly narrow: number;
}

function warmTimes({ folder, values, narrow }: Subject): WarmTimes {
  const given = values ? readValues(readFileSync(values, 'utf8'), true) : new Map();
  const run = (chart: Chart, changes: ValueMap, once = false): number => {
    const started = performance.now();
    formatTemplateOutput(
      render(chart, { release: { name: 'demo', namespace: 'default' }, values: changes, kubeVersion, crypto: nodeCrypto, once }),
    );
    return performance.now() - started;
  };
  const measured = { again: [] as number[], load: [] as number[], first: [] as number[], broad: [] as number[], narrow: [] as number[] };
  for (let round = 0; round < 2 * rounds; round++) {
    const started = performance.now();
    const chart = loadChartFrom(folder);
    measured.load.push(performance.now() - started);
    measured.first.push(run(chart, given));
    measured.again.push(run(chart, given, true));
    measured.broad.push(run(chart, new Map([...given, ['nameOverride', `changed-${round}`]])));
    run(chart, given);
    measured.narrow.push(run(chart, applySet('set', narrow, given)));
  }
  // The first half warms the engine up.
  const late = (list: readonly number[]): number => median(list.slice(rounds));
  return {
    again: late(measured.again),
    load: late(measured.load),
    first: late(measured.first),
    broad: late(measured.broad),
    narrow: late(measured.narrow),
  };
}

/** Time for ever more templates and subcharts; linear means that the time for one stays the same. */
function benchGrowth({ desp, helm }: ChartBench): void {
  const folder = mkdtempSync(join(tmpdir(), 'desp-growth-'));
  try {
    for (const [what, sizes, make] of [
      ['templates', [1000, 3000, 10_000], writeTemplates],
      ['subcharts', [10, 30, 100], writeSubcharts],
    ] as const) {
      for (const size of sizes) {
        const chart = join(folder, `${what}-${size}`);
        make(chart, size);
        const args = ['template', 'demo', chart, '--kube-version', kubeVersion];
        const several = (argv: readonly string[]): number => median([1, 2, 3].map(() => timeProcess(argv)));
        const ours = several([desp, 'chart', ...args]);
        const theirs = helm ? several([helm, ...args]) : undefined;
        write(
          `${String(size).padStart(6)} ${what}: ${ms(ours)}, ${ms(ours / size)} each; helm ${ms(theirs)}, ${ms(theirs && theirs / size)} each`,
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeTemplates(folder: string, count: number): void {
  mkdirSync(join(folder, 'templates'), { recursive: true });
  writeFileSync(join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: grown\nversion: 1.0.0\n');
  writeFileSync(join(folder, 'values.yaml'), 'labels:\n  team: blue\n');
  writeFileSync(join(folder, 'templates/_labels.tpl'), '{{ define "labels" }}{{ toYaml .Values.labels }}{{ end }}');
  for (let n = 0; n < count; n++) {
    const text = `kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: {{ .Release.Name }}-${n}\n  labels: {{- include "labels" . | nindent 4 }}\n`;
    writeFileSync(join(folder, `templates/map-${n}.yaml`), text);
  }
}

/** Subcharts that share a library, as umbrella charts have them, and are switched by conditions. */
function writeSubcharts(folder: string, count: number): void {
  const names = Array.from({ length: count }, (_none, n) => `part-${n}`);
  const declared = names.map((name) => `- name: ${name}\n  version: 1.0.0\n  condition: ${name}.enabled\n`).join('');
  mkdirSync(join(folder, 'templates'), { recursive: true });
  writeFileSync(join(folder, 'Chart.yaml'), `apiVersion: v2\nname: grown\nversion: 1.0.0\ndependencies:\n${declared}`);
  writeFileSync(join(folder, 'values.yaml'), 'global:\n  team: blue\n');
  for (const name of names) {
    const part = join(folder, 'charts', name);
    const library = join(part, 'charts/library');
    mkdirSync(join(part, 'templates'), { recursive: true });
    mkdirSync(join(library, 'templates'), { recursive: true });
    const needs = 'dependencies:\n- name: library\n  version: 1.x\n';
    writeFileSync(join(part, 'Chart.yaml'), `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${needs}`);
    const values = Array.from({ length: 50 }, (_none, n) => `key${n}: {a: 1, b: [x, y]}\n`).join('');
    writeFileSync(join(part, 'values.yaml'), `enabled: true\n${values}`);
    writeFileSync(
      join(part, 'templates/map.yaml'),
      'kind: ConfigMap\napiVersion: v1\nmetadata: {{- include "library.name" . | nindent 2 }}\n',
    );
    writeFileSync(join(library, 'Chart.yaml'), 'apiVersion: v2\nname: library\nversion: 1.0.0\ntype: library\n');
    writeFileSync(
      join(library, 'templates/_name.tpl'),
      '{{ define "library.name" }}name: {{ .Chart.Name }}-{{ .Values.global.team }}{{ end }}',
    );
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const write = (line: string): void => void process.stdout.write(`${line}\n`);
const ms = (value: number | undefined): string => (value === undefined ? '–' : `${value.toFixed(value < 10 ? 2 : 0)} ms`);
const mebibytes = (value: number | undefined): string => (value === undefined ? '–' : `${Math.round(value / 2 ** 20)} MiB`);
const times = (a: number | undefined, b: number | undefined): string =>
  a === undefined || b === undefined ? '–' : `${(a / b).toFixed(a / b < 10 ? 2 : 0)}×`;
