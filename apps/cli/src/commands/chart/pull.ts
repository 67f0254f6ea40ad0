import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { loadChart } from '@desp/chart';
import { readChartArchive, writeWhole } from '@desp/chart/node';
import type { Flags } from './flags.ts';
import { chartSourceFlags, globalFlags } from './global-flags.ts';
import { HelmError, type HelmInvocation, type HelmVerb, type Output, registryOutput } from './helm-command.ts';
import { type DownloadedChart, downloadChart } from './remote/download-chart.ts';
import { requiredProvenance } from './remote/locate-chart.ts';
import { defaultKeyring, verifyFile } from './verify.ts';

async function run({ helm, flags, io }: HelmInvocation): Promise<void> {
  for (const reference of flags.args) {
    const chart = await downloadChart(reference, helm, flags, registryOutput(helm, io));
    const provenance = await provenanceOf(chart, flags, io);
    const report =
      flags.isOn('verify') && provenance ? await verified(chart, provenance, flags.text('keyring') ?? defaultKeyring(helm), helm) : '';
    const destination = flags.text('destination') ?? '.';
    if (flags.isOn('untar')) unpack(chart, reference, destination, flags);
    else {
      checkFolder(destination, chart.fileName);
      writeWhole(join(destination, chart.fileName), chart.archive);
      if (provenance) writeWhole(join(destination, `${chart.fileName}.prov`), provenance);
    }
    io.out(report);
  }
}

async function provenanceOf(chart: DownloadedChart, flags: Flags, io: Output): Promise<Buffer | undefined> {
  if (flags.isOn('verify')) return requiredProvenance(chart);
  if (!flags.isOn('prov')) return undefined;
  try {
    const found = await chart.provenance();
    if (found) return found;
    io.out(
      `WARNING: Verification not found for ${chart.source}: manifest does not contain a layer with mediatype application/vnd.cncf.helm.chart.provenance.v1.prov\n`,
    );
  } catch (error) {
    if (!(error instanceof HelmError)) throw error;
    io.out(`WARNING: Verification not found for ${chart.source}: ${error.message}\n`);
  }
  return undefined;
}

/** Only what is unpacked gets its folder made. */
function checkFolder(folder: string, fileName: string): void {
  const status = statSync(folder, { throwIfNoEntry: false });
  if (!status?.isDirectory())
    throw new HelmError(`open ${join(folder, fileName)}: ${status ? 'not a directory' : 'no such file or directory'}`);
}

/** Checked before anything is written where the user wants it. */
async function verified(chart: DownloadedChart, provenance: Buffer, keyring: string, helm: HelmInvocation['helm']): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'desp-chart-'));
  try {
    const path = join(folder, chart.fileName);
    writeFileSync(path, chart.archive);
    writeFileSync(`${path}.prov`, provenance);
    return await verifyFile(path, keyring, helm);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `--untar`: unpacked beside its place, then moved there whole. Names of files are checked by the reader of archives. */
function unpack(chart: DownloadedChart, reference: string, destination: string, flags: Flags): void {
  const wanted = flags.text('untardir') ?? '.';
  const folder = isAbsolute(wanted) ? wanted : join(destination, wanted);
  const files = readChartArchive(chart.archive);
  const { name } = loadChart(files, { unpack: readChartArchive }).metadata;
  const target = join(folder, name);
  const byReference = join(folder, reference.slice(reference.lastIndexOf('/') + 1));
  for (const place of new Set([byReference, target]))
    if (existsSync(place)) throw new HelmError(`failed to untar: a file or directory with the name ${place} already exists`);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new HelmError(`failed to untar (mkdir): mkdir ${folder}: not a directory`);
  mkdirSync(folder, { recursive: true });
  const staging = mkdtempSync(join(folder, '.desp-untar-'));
  try {
    for (const file of files) {
      const path = resolve(staging, name, file.name);
      if (!path.startsWith(`${resolve(staging)}/`)) throw new HelmError(`failed to untar: ${file.name} leads out of the chart`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, file.data, { flag: 'wx', mode: 0o644 });
    }
    renameSync(join(staging, name), target);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

export const verb: HelmVerb = {
  flags: {
    ...globalFlags,
    ...chartSourceFlags,
    destination: { kind: 'text', short: 'd' },
    devel: { kind: 'bool' },
    prov: { kind: 'bool' },
    untar: { kind: 'bool' },
    untardir: { kind: 'text' },
  },
  use: { path: 'pull', line: 'pull [chart URL | repo/chartname] [...] [flags]', least: 1 },
  run,
  help: `Download charts from a repository, an address or a registry.

Usage:
  desp chart [--helm 3|4] pull CHART… [flags]

Example:
  desp chart pull web --repo https://charts.example.org --version '^1.2' --untar
  desp chart pull oci://harbor.example.org/sample-app/web --version 1.2.0

      --repo URL          take CHART from this repository
      --version V         a version, or a range such as ^1.2; default: the newest
  -d, --destination DIR   where the archive goes; default: here
      --untar             unpack it, into --untardir DIR
      --prov              keep its provenance file too
      --verify            and check it first (--keyring FILE)
      --username NAME     with --password-stdin: who you are to the server
      --plain-http        speak to a registry without encryption
`,
};
