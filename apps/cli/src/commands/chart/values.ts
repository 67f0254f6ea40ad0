import { readFileSync } from 'node:fs';
import {
  applySet,
  ConversionError,
  mergeMaps,
  type ProfileName,
  profileOf,
  readValues,
  type SetKind,
  type ValueMap,
  type ValueSource,
} from '@desp/chart';
import type { Flags } from './flags.ts';
import { describeFailure, HelmError, isSystemError } from './helm-command.ts';

const setKinds: readonly SetKind[] = ['set-json', 'set', 'set-string', 'set-file', 'set-literal'];

const setFileFailed = 'failed parsing --set-file data: ';

/** Where values files come from that are no files: `-f https://…`. */
export type FetchValues = (address: string) => Promise<string>;

/** Values of files and flags in Helm's order of precedence. @throws HelmError, ChartError */
export async function mergeUserValues(flags: Flags, helm: ProfileName, fetchValues?: FetchValues): Promise<ValueMap> {
  return (await readUserValues(flags, helm, fetchValues)).values;
}

/** The same, with what they were merged from. */
export async function readUserValues(
  flags: Flags,
  helm: ProfileName,
  fetchValues?: FetchValues,
): Promise<{ values: ValueMap; sources: ValueSource[] }> {
  const sources: ValueSource[] = [];
  const profile = profileOf(helm);
  const remote = new Map<string, string>();
  const read = (path: string): string => remote.get(path) ?? (path.trim() === '-' ? readFileSync(0, 'utf8') : readText(path));
  const fetchAll = async (paths: readonly string[], doing: string): Promise<void> => {
    for (const path of paths.filter((one) => /^https?:\/\//i.test(one))) {
      if (!fetchValues) throw new HelmError(`values from ${path} are not fetched here: download them first`);
      try {
        remote.set(path, await fetchValues(path));
      } catch (error) {
        throw error instanceof HelmError ? new HelmError(`${doing}${error.message}`) : error;
      }
    }
  };
  await fetchAll(flags.list('values'), '');
  await fetchAll(flags.texts('set-file').flatMap(pathsOf), setFileFailed);
  const readForSet = (path: string): string => {
    try {
      return read(path);
    } catch (error) {
      throw isSystemError(error) ? new HelmError(setFileFailed + describeFailure(error)) : error;
    }
  };
  let values: ValueMap = new Map();
  for (const path of flags.list('values')) {
    const text = read(path);
    sources.push({ kind: 'file', name: path, text });
    try {
      values = mergeMaps(values, readValues(text, profile.multiDocumentValues));
    } catch (error) {
      if (error instanceof ConversionError) throw new HelmError(`failed to parse ${path}: ${error.message}`);
      throw error;
    }
  }
  for (const kind of setKinds) {
    for (const text of flags.texts(kind)) {
      values = applySet(kind, text, values, {
        readFile: readForSet,
        jsonObject: profile.setJsonObject,
        openIndexEnds: profile.openIndexEnds,
      });
      sources.push({ kind, text });
    }
  }
  return { values, sources };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // Node does not say which folder it was that is no file.
    throw isSystemError(error) ? Object.assign(error, { path }) : error;
  }
}

/** Addresses among `key=path` pairs. */
const pathsOf = (text: string): string[] =>
  text.split(/(?<!\\),/).flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals < 0 ? [] : [pair.slice(equals + 1)];
  });
