import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { logValue, type ProfileName } from '@desp/chart';
import type { Flags } from '../flags.ts';
import { HelmError, type Output } from '../helm-command.ts';
import { defaultKeyring, verifyFile } from '../verify.ts';
import { type DownloadedChart, downloadChart } from './download-chart.ts';

/**
 * A chart that is on disk, or one that is fetched: what `template` and `show` take. What is fetched lies in a temporary
 * folder until the process ends.
 *
 * @returns the path of a folder or an archive, absolute
 */
export async function locateChart(reference: string, helm: ProfileName, flags: Flags, io: Output): Promise<string> {
  const name = reference.trim();
  const keyring = flags.text('keyring') ?? defaultKeyring(helm);
  const repository = flags.text('repo');
  // Helm 3 takes what is on disk even where a repository is named.
  if (!repository || helm === 'helm3') {
    if (statSync(name, { throwIfNoEntry: false })) {
      if (repository)
        io.err(
          `WARN local chart found in current working directory. repository url ignored chart=${logValue(name)} repository=${logValue(repository)}\n`,
        );
      if (flags.isOn('verify')) await verifyFile(resolve(name), keyring, helm);
      return resolve(name);
    }
    if (isAbsolute(name) || name.startsWith('.')) throw new HelmError(`path ${JSON.stringify(name)} not found`);
  }
  const chart = await downloadChart(name, helm, flags, { out: io.err, err: io.err });
  const folder = mkdtempSync(join(tmpdir(), 'desp-chart-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, chart.fileName);
  writeFileSync(path, chart.archive);
  if (flags.isOn('verify')) {
    writeFileSync(`${path}.prov`, await requiredProvenance(chart));
    await verifyFile(path, keyring, helm);
  }
  return path;
}

/** @throws HelmError where there is no provenance file */
export async function requiredProvenance(chart: DownloadedChart): Promise<Buffer> {
  try {
    const found = await chart.provenance();
    if (found) return found;
  } catch (error) {
    if (!(error instanceof HelmError)) throw error;
  }
  throw new HelmError(`failed to fetch provenance ${JSON.stringify(`${chart.source}.prov`)}`);
}
