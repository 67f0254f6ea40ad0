import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type Chart,
  ChartError,
  type Dependency,
  formatLock,
  helm2DigestInput,
  type LockedDependency,
  lockDigestInput,
  type ProfileName,
  versionTest,
} from '@desp/chart';
import { archiveChart, loadChartFrom, writeWhole } from '@desp/chart/node';
import type { Flags } from '../flags.ts';
import { HelmError, type Output, registryOutput } from '../helm-command.ts';
import { defaultKeyring, verifyFile } from '../verify.ts';
import { type DependencySources, openSources } from './dependency-sources.ts';
import { downloadFrom } from './download-chart.ts';
import { requiredProvenance } from './locate-chart.ts';
import { isOci, listVersions } from './registry.ts';

/**
 * `dependency update` and `dependency build`: charts/ as Chart.yaml or Chart.lock want it.
 *
 * Everything is fetched and looked at beside charts/ first. Only then the archives are moved there, one rename each, and
 * what is outdated goes last: whatever happens, charts/ never holds half an archive, nor less than before.
 */

interface Job {
  readonly path: string;
  readonly helm: ProfileName;
  readonly flags: Flags;
  readonly io: Output;
  readonly chart: Chart;
  /** With aliases of repositories resolved. */
  readonly declared: readonly Dependency[];
  readonly sources: DependencySources;
}

/** Fetches the newest versions that Chart.yaml allows, and writes Chart.lock. @throws HelmError, ChartError */
export async function updateDependencies(path: string, helm: ProfileName, flags: Flags, io: Output): Promise<void> {
  const job = open(path, helm, flags, io);
  if (!job) return;
  await job.sources.announce(job.declared);
  const locked = await resolveVersions(job);
  const saved = await saveAll(job, locked, flags.isOn('verify') ? 'always' : 'never');
  const digest = sha256(lockDigestInput(job.declared, saved));
  if (job.chart.lock?.digest === digest) return;
  writeLock(job, digest, saved);
}

/** Fetches what Chart.lock names; without one it is an update. @throws HelmError, ChartError */
export async function buildDependencies(path: string, helm: ProfileName, flags: Flags, io: Output): Promise<void> {
  const job = open(path, helm, flags, io);
  const lock = job?.chart.lock;
  if (!job || !lock) return updateDependencies(path, helm, flags, io);
  checkInStep(job, lock.dependencies, lock.digest);
  await job.sources.announce(lock.dependencies);
  await saveAll(job, lock.dependencies, flags.isOn('verify') ? 'ifPossible' : 'never');
}

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

function open(path: string, helm: ProfileName, flags: Flags, io: Output): Job | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status) throw new HelmError(`could not find ${path}: stat ${path}: no such file or directory`);
  if (!status.isDirectory()) throw new HelmError('only unpacked charts can be updated');
  const chart = loadChartFrom(path, { multiDocumentValues: helm === 'helm4' });
  if (!chart.metadata.dependencies) return undefined;
  const sources = openSources(helm, flags, io);
  return {
    path,
    helm,
    flags,
    io,
    chart,
    sources,
    declared: sources.resolveNames(chart.metadata.dependencies, (wanted) => localPath(wanted, path)),
  };
}

/** Where a `file://` repository lies. @throws HelmError where it does not */
function localPath(repository: string, chartPath: string): string {
  const path = repository.replace(/^file:\/\//, '');
  const full = path.startsWith('/') ? resolve(path) : join(chartPath, path);
  if (!statSync(full, { throwIfNoEntry: false })) throw new HelmError(`directory ${full} not found`);
  return full;
}

function checkInStep({ chart, declared, helm, io }: Job, locked: readonly LockedDependency[], digest: string): void {
  if (sha256(lockDigestInput(declared, locked)) === digest) return;
  if (chart.metadata.apiVersion === 'v1') {
    const warning = 'warning: a valid Helm v3 hash was not found. Checking against Helm v2 hash...';
    io.err(helm === 'helm4' ? `level=INFO msg="${warning}"\n` : `${warning}\n`);
    if (sha256(helm2DigestInput(chart.metadata.dependencies ?? [])) === digest) return;
    throw new HelmError(
      'the lock file (requirements.lock) is out of sync with the dependencies file (requirements.yaml). Please update the dependencies',
    );
  }
  const how = helm === 'helm4' ? " with 'helm dependency update'" : '';
  throw new HelmError(
    `the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the dependencies${how}`,
  );
}

async function resolveVersions({ path, declared, sources, flags }: Job): Promise<LockedDependency[]> {
  const locked: LockedDependency[] = [];
  const missing: string[] = [];
  for (const wanted of declared) {
    const { name, repository, version } = wanted;
    const fits = rangeOf(wanted);
    const lock = (found: string): unknown => locked.push({ name, repository, version: found });
    const none = (): unknown =>
      missing.push(`${JSON.stringify(name)} (repository ${JSON.stringify(repository)}, version ${JSON.stringify(version)})`);
    if (repository === '') {
      localPath(join('charts', name), path);
      lock(version);
    } else if (repository.startsWith('file://')) {
      const found = loadChartFrom(localPath(repository, path)).metadata.version;
      if (fits(found)) lock(found);
      else none();
    } else if (isOci(repository)) {
      const exact = /^v?\d+(\.\d+){0,2}([-+][0-9A-Za-z.+-]+)?$/.test(version);
      const found = exact ? version : (await listVersions(`${repository.replace(/\/+$/, '')}/${name}`, flags)).find(fits);
      if (found === undefined) none();
      else lock(found);
    } else {
      const index = await sources.indexOf(repository);
      const entries = index.charts.get(name);
      if (!entries) throw new HelmError(`${name} chart not found in repo ${repository}`);
      const found = entries.find((entry) => entry.urls.length > 0 && fits(entry.version));
      if (found) lock(found.version);
      else none();
    }
  }
  if (missing.length === 0) return locked;
  throw new HelmError(
    `can't get a valid version for ${missing.length} subchart(s): ${missing.join(', ')}. Make sure a matching chart version exists in the repo, or change the version constraint in Chart.yaml`,
  );
}

function rangeOf({ name, version }: LockedDependency): (version: string) => boolean {
  try {
    return versionTest(version);
  } catch (error) {
    if (error instanceof ChartError)
      throw new HelmError(`dependency ${JSON.stringify(name)} has an invalid version/constraint format: ${error.message}`);
    throw error;
  }
}

type Verify = 'never' | 'ifPossible' | 'always';

/** @returns the dependencies with the versions that came */
async function saveAll(job: Job, locked: readonly LockedDependency[], verify: Verify): Promise<LockedDependency[]> {
  const { path, io } = job;
  const charts = join(path, 'charts');
  const status = lstatSync(charts, { throwIfNoEntry: false });
  if (status?.isSymbolicLink())
    throw new HelmError(`${JSON.stringify(charts)} is a link to ${JSON.stringify(readlinkSync(charts))}: remove it first`);
  if (status && !status.isDirectory()) throw new HelmError(`${JSON.stringify(charts)} is not a directory`);
  mkdirSync(charts, { recursive: true });
  const staging = mkdtempSync(join(path, 'tmpcharts-'));
  try {
    io.out(`Saving ${locked.length} charts\n`);
    let saved: LockedDependency[];
    try {
      saved = await fetchAll(job, locked, staging, verify);
    } catch (error) {
      if (error instanceof Error) io.out(`Save error occurred:  ${error.message}\n`);
      throw error;
    }
    moveAll(charts, staging, new Set(locked.filter(({ repository }) => repository === '').map(({ name }) => name)), io);
    return saved;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

async function fetchAll(job: Job, locked: readonly LockedDependency[], staging: string, verify: Verify): Promise<LockedDependency[]> {
  const { path, io } = job;
  const saved: LockedDependency[] = [];
  const done = new Set<string>();
  for (const wanted of locked) {
    const { name, repository, version } = wanted;
    if (repository === '') {
      io.out(`Dependency ${name} did not declare a repository. Assuming it exists in the charts directory\n`);
      const there = loadChartFrom(join(path, 'charts', name)).metadata.version;
      if (!rangeOf(wanted)(there)) throw new HelmError(`dependency ${name} at version ${there} does not satisfy the constraint ${version}`);
      saved.push(wanted);
    } else if (repository.startsWith('file://')) {
      const archive = archiveChart(loadChartFrom(localPath(repository, path)));
      if (!rangeOf(wanted)(archive.metadata.version)) throw new HelmError(`can't get a valid version for dependency ${name}`);
      writeFileSync(join(staging, archive.fileName), archive.data);
      saved.push({ ...wanted, version: archive.metadata.version });
    } else {
      await fetchOne(job, wanted, staging, verify, done);
      saved.push(wanted);
    }
  }
  return saved;
}

async function fetchOne(
  { helm, flags, io, sources }: Job,
  wanted: LockedDependency,
  staging: string,
  verify: Verify,
  done: Set<string>,
): Promise<void> {
  const { name, repository, version } = wanted;
  const url = isOci(repository) ? `${repository.replace(/\/+$/, '')}/${name}` : await sources.urlOf(repository, name, version);
  if (done.has(`${url} ${version}`)) {
    io.out(`Already downloaded ${name} from repo ${repository}\n`);
    return;
  }
  done.add(`${url} ${version}`);
  io.out(`Downloading ${name} from repo ${repository}\n`);
  try {
    const chart = await downloadFrom(url, isOci(url) ? version : '', sources.connectionOf(repository), flags, registryOutput(helm, io));
    const file = join(staging, chart.fileName);
    writeFileSync(file, chart.archive);
    loadChartFrom(file);
    if (verify === 'never') return;
    const provenance = verify === 'always' ? await requiredProvenance(chart) : await chart.provenance().catch(() => undefined);
    if (!provenance) {
      io.out(`WARNING: Verification not found for ${url}: no provenance file\n`);
      return;
    }
    writeFileSync(`${file}.prov`, provenance);
    await verifyFile(file, flags.text('keyring') ?? defaultKeyring(helm), helm);
  } catch (error) {
    if (error instanceof HelmError || error instanceof ChartError) throw new HelmError(`could not download ${url}: ${error.message}`);
    throw error;
  }
}

function moveAll(charts: string, staging: string, local: ReadonlySet<string>, io: Output): void {
  const before = readdirSync(charts, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
  const fresh = new Set(readdirSync(staging));
  for (const file of fresh) renameSync(join(staging, file), join(charts, file));
  io.out('Deleting outdated charts\n');
  for (const { name } of before) {
    if (fresh.has(name)) continue;
    const path = join(charts, name);
    try {
      if (local.has(loadChartFrom(path).metadata.name)) continue;
    } catch (error) {
      if (!(error instanceof ChartError)) throw error;
      io.out(`Could not verify ${path} for deletion: ${error.message} (Skipping)\n`);
      continue;
    }
    rmSync(path);
  }
}

function writeLock({ path, chart }: Job, digest: string, dependencies: readonly LockedDependency[]): void {
  const name = chart.metadata.apiVersion === 'v1' ? 'requirements.lock' : 'Chart.lock';
  const target = join(path, name);
  if (lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new HelmError(`the ${name} file is a symlink to ${JSON.stringify(readlinkSync(target))}`);
  writeWhole(target, formatLock({ digest, generated: new Date().toISOString(), dependencies }));
}
