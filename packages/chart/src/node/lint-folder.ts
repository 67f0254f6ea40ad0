import { lstatSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ChartError } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { folderOf, type LintFolder } from '../lint/folder.ts';
import { readMetadata } from '../loader/metadata.ts';
import { fromBytes } from '../value/text.ts';
import { ConversionError } from '../yaml/values.ts';
import { readChartArchive } from './archive.ts';
import { readChartFolder } from './folder.ts';

/** A chart's folder for `lint`; its files are read when a rule asks for them. */
export function readLintFolder(path: string, limits: Limits = defaultLimits): LintFolder {
  const folder = resolve(path);
  let known: ReturnType<typeof readChartFolder> | undefined;
  const files = () => {
    known ??= readChartFolder(folder, limits);
    return known;
  };
  return {
    path: folder,
    kindOf: (name) => {
      const status = statSync(join(folder, name), { throwIfNoEntry: false });
      return status === undefined ? undefined : status.isDirectory() ? 'folder' : 'file';
    },
    read: (name) => {
      const status = lstatSync(join(folder, name), { throwIfNoEntry: false });
      // A link is read with the rest of the chart, which confines it.
      if (status?.isSymbolicLink()) return files().find((file) => file.name === name)?.data;
      if (!status?.isFile()) return undefined;
      if (status.size > limits.fileBytes)
        throw new ChartError('LIMIT_EXCEEDED', `chart file ${name} is larger than the maximum file size ${limits.fileBytes}`);
      return readFileSync(join(folder, name));
    },
    files,
  };
}

/** A packed chart for `lint`, as if it were unpacked. @throws ChartError, or Node's error where it cannot be read */
export function readLintArchive(path: string, limits: Limits = defaultLimits): LintFolder {
  const files = readChartArchive(readFileSync(path), limits);
  const chartYaml = files.find(({ name }) => name === 'Chart.yaml');
  const name = chartYaml ? nameOf(fromBytes(chartYaml.data)) : '';
  if (name === '') throw new ChartError('CHART_INVALID', 'chart name not specified', { cure: 'Pack the chart anew.' });
  return folderOf(`${resolve(path)}/${name}`, files);
}

function nameOf(chartYaml: string): string {
  try {
    return readMetadata([chartYaml]).name;
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new ChartError('CHART_INVALID', `cannot load Chart.yaml: ${error.message}`, { where: { file: 'Chart.yaml' } });
  }
}
