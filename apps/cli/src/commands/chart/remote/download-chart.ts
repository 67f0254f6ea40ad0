import { basename } from 'node:path';
import { ChartError, findInIndex, logValue, type ProfileName, resolveChartUrl } from '@desp/chart';
import type { Flags } from '../flags.ts';
import { HelmError, type Output } from '../helm-command.ts';
import { loginOf } from './credentials.ts';
import { type Connection, download } from './http.ts';
import { isOci, maxArchiveBytes, pullChart } from './registry.ts';
import { chartConnectionOf, connectionTo, findInRepository, indexOf, isWronglyEscaped, readRepositories } from './repositories.ts';
import { tlsOf } from './tls-files.ts';

/** A chart's archive as it came, not looked into yet. */
export interface DownloadedChart {
  readonly archive: Buffer;
  readonly fileName: string;
  /** Where it came from, for messages. */
  readonly source: string;
  /** Fetches the provenance file; undefined where there is none. */
  readonly provenance: () => Promise<Buffer | undefined>;
}

const maxProvenanceBytes = 5 * 1024 * 1024;

/** Downloads what Helm understands by a chart's reference: an address, `oci://…`, a name with `--repo`, or `REPOSITORY/CHART`. @throws HelmError */
export async function downloadChart(reference: string, helm: ProfileName, flags: Flags, io: Output): Promise<DownloadedChart> {
  const version = wantedVersion(flags);
  const repository = flags.text('repo');
  if (repository) {
    const connection = connectionTo(repository, flags);
    const { url, version: found } = await findInRepository(repository, reference, version, connection);
    sayWhatStandsIn(reference, version, found, helm, io);
    return fetchArchive(url, connection, flags, io);
  }
  if (isOci(reference)) return fromRegistry(reference, version, flags, io);
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/]+\//i.test(reference)) return fetchArchive(reference, addressConnection(reference, flags), flags, io);
  return fromAddedRepository(reference, version, helm, flags, io);
}

export const wantedVersion = (flags: Flags): string => flags.text('version')?.trim() || (flags.isOn('devel') ? '>0.0.0-0' : '');

/** A login given for an address goes to that address's server, and nowhere else. */
const addressConnection = (address: string, flags: Flags): Connection => ({
  ...tlsOf(flags),
  login: loginOf(flags),
  origin: URL.canParse(address) ? new URL(address).origin : '',
});

async function fromAddedRepository(
  reference: string,
  version: string,
  helm: ProfileName,
  flags: Flags,
  io: Output,
): Promise<DownloadedChart> {
  const [name = '', ...rest] = reference.split('/');
  if (rest.length === 0 || reference.includes('://'))
    throw new HelmError(`non-absolute URLs should be in form of repo_name/path_to_chart, got: ${reference}`);
  const chart = rest.join('/');
  const entry = readRepositories(flags).find((candidate) => candidate.name === name);
  if (!entry) throw new HelmError(`repo ${name} not found`);
  if (!entry.url) throw new HelmError(`no URL found for repository ${name}`);
  const connection = chartConnectionOf(entry, flags, helm);
  const found = entryOf(await indexOf(entry, flags, helm), chart, version, name);
  sayWhatStandsIn(chart, version, found.version, helm, io);
  const [url] = found.urls;
  if (!url) throw new HelmError(`chart ${JSON.stringify(reference)} has no downloadable URLs`);
  return fetchArchive(resolveChartUrl(entry.url, url), connection, flags, io);
}

/** Helm 4 says so where one version is wanted and another stands in for it. */
function sayWhatStandsIn(chart: string, wanted: string, found: string, helm: ProfileName, io: Output): void {
  const isRange = /[\^~<>=!*]|\|\|| - |^[^-+]*[xX]/.test(wanted);
  if (helm === 'helm3' || wanted === '' || wanted === found || isRange) return;
  const fields = [`chart=${logValue(chart)}`, `requested=${logValue(wanted)}`, `selected=${logValue(found)}`].join(' ');
  io.err(`level=WARN msg="unable to find exact version requested; falling back to closest available version" ${fields}\n`);
}

function entryOf(index: Awaited<ReturnType<typeof indexOf>>, chart: string, version: string, name: string) {
  const missing = (why: string): HelmError =>
    new HelmError(`chart ${JSON.stringify(chart)} matching ${version} not found in ${name} index. (try 'helm repo update'): ${why}`);
  if (!index.charts.has(chart)) throw missing('no chart name found');
  try {
    const found = findInIndex(index, chart, version);
    if (found) return found;
  } catch (error) {
    if (error instanceof ChartError) throw missing(error.message);
    throw error;
  }
  throw missing(`no chart version found for ${chart}-${version}`);
}

/** The same from a known place. */
export const downloadFrom = (url: string, version: string, connection: Connection, flags: Flags, io: Output): Promise<DownloadedChart> =>
  isOci(url) ? fromRegistry(url, version, flags, io) : fetchArchive(url, connection, flags, io);

async function fetchArchive(url: string, connection: Connection, flags: Flags, io: Output): Promise<DownloadedChart> {
  if (isOci(url)) return fromRegistry(url, '', flags, io);
  if (isWronglyEscaped(url)) throw new HelmError(`invalid chart URL format: ${url}`);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? '';
  if (scheme !== 'http' && scheme !== 'https') throw new HelmError(`scheme ${JSON.stringify(scheme)} not supported`);
  const archive = await download(url, maxArchiveBytes, connection);
  return {
    archive,
    fileName: safeName(basename(new URL(url).pathname)),
    source: url,
    provenance: () => download(`${url}.prov`, maxProvenanceBytes, connection),
  };
}

async function fromRegistry(reference: string, version: string, flags: Flags, io: Output): Promise<DownloadedChart> {
  const pulled = await pullChart(reference, version, flags);
  io.out(`Pulled: ${pulled.reference}\nDigest: ${pulled.digest}\n`);
  return { archive: pulled.archive, fileName: safeName(pulled.fileName), source: reference, provenance: async () => pulled.provenance };
}

/** A name from a server becomes a file here: one part of a path, nothing that hides. */
function safeName(name: string): string {
  const decoded = unescaped(name);
  if (!/^[A-Za-z0-9_][A-Za-z0-9._+~@-]*$/.test(decoded) || decoded.length > 255)
    throw new HelmError(`the server names the chart ${JSON.stringify(decoded.slice(0, 300))}, which is no file name`);
  return decoded;
}

/** What is wrongly escaped stays as it is. */
function unescaped(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
