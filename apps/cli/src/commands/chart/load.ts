import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { asLogged, type Chart, type ProfileName, profileOf } from '@desp/chart';
import { loadChartFrom } from '@desp/chart/node';
import { HelmError, type Output } from './helm-command.ts';

/**
 * Loads a chart as this Helm does, and says on standard error what Helm then warns of.
 *
 * Files that only templates ask for are read when they do.
 *
 * @param asInstalled as `template` and `package` load; `show` and `dependency` use an older way with its own words
 */
export function loadForVerb(path: string, helm: ProfileName, io: Output, asInstalled: boolean): Chart {
  const profile = profileOf(helm);
  const chartYaml = resolve(path, 'Chart.yaml');
  if (asInstalled && helm === 'helm4' && statSync(path, { throwIfNoEntry: false })?.isDirectory() && !existsSync(chartYaml))
    throw new HelmError(`unable to detect chart at ${chartYaml}: open ${chartYaml}: no such file or directory`);
  checkArchive(asInstalled ? resolve(path) : path);
  const onLink = (link: string, target: string): void =>
    io.err(
      helm === 'helm3'
        ? `found symbolic link in path: ${link} resolves to ${target}. Contents of linked file included and used\n`
        : `level=INFO msg="found symbolic link in path. Contents of linked file included and used" path=${link} resolved=${target}\n`,
    );
  const chart = loadChartFrom(path, { multiDocumentValues: profile.multiDocumentValues, onLink, late: true });
  for (const line of chart.warnings) io.err(`${asLogged(line, profile)}\n`);
  return chart;
}

/** A file that is no archive is called by what it looks like. @throws HelmError */
export function checkArchive(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return;
  const head = Buffer.alloc(512);
  const file = openSync(path, 'r');
  const length = readSync(file, head);
  closeSync(file);
  if (length > 2 && head[0] === 0x1f && head[1] === 0x8b && head[2] === 0x08) return;
  if (/\.ya?ml$/.test(path)) throw new HelmError(`file '${path}' seems to be a YAML file, but expected a gzipped archive`);
  // Helm looks at 512 bytes, whatever was read.
  const isBinary = head.some((byte) => byte < 9 || byte === 11 || (byte > 13 && byte < 32 && byte !== 27));
  const type = isBinary ? 'application/octet-stream' : 'text/plain; charset=utf-8';
  throw new HelmError(`file '${path}' does not appear to be a gzipped archive; got '${type}'`);
}
