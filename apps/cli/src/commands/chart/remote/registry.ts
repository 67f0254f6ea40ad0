import { existsSync, readFileSync, statSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Metadata, metadataJson, sortVersions, versionTest } from '@desp/chart';
import { createRegistryClient, digestOf, type Manifest, OciError, parseManifest, type RefusedCall, type RegistryClient } from '@desp/oci';
import { registerSecret } from '@desp/runtime';
import { z } from 'zod';
import type { Flags } from '../flags.ts';
import { HelmError } from '../helm-command.ts';
import { type Login, loginOf } from './credentials.ts';
import { networkReason } from './network-words.ts';
import { registryConfigPaths } from './places.ts';
import { proxySettings } from './proxy.ts';
import { tlsOf } from './tls-files.ts';

/** Charts in registries (OCI), as Helm lays them there: one layer for the archive, one for its provenance. */

const types = {
  config: 'application/vnd.cncf.helm.config.v1+json',
  chart: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
  oldChart: 'application/tar+gzip',
  provenance: 'application/vnd.cncf.helm.chart.provenance.v1.prov',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
} as const;

/** Bytes of a packed chart or its provenance that are taken from a registry. */
export const maxArchiveBytes = 100 * 1024 * 1024;

export const isOci = (reference: string): boolean => reference.startsWith('oci://');

/** `oci://HOST/REPOSITORY[:TAG][@DIGEST]`; a `+` of a version is `_` in a tag. */
export interface ChartReference {
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

export const tagOf = (version: string): string => version.replaceAll('+', '_');
const versionOf = (tag: string): string => tag.replaceAll('_', '+');

const repositoryPart = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const repositoryForm = new RegExp(`^${repositoryPart}(?:/${repositoryPart})*$`);

/** @throws HelmError with Helm's words */
export function parseReference(reference: string): ChartReference {
  const invalid = (why: string): HelmError => new HelmError(`invalid reference: ${why}`);
  const [, host = '', path] = /^oci:\/\/([^/]*)(?:\/(.*))?$/s.exec(reference) ?? [];
  if (path === undefined) throw invalid('missing registry or repository');
  const [name = '', ...rest] = path.split('@');
  const digest = rest.join('@');
  const colon = name.indexOf(':');
  const repository = colon < 0 ? name : name.slice(0, colon);
  const tag = colon < 0 ? '' : tagOf(name.slice(colon + 1));
  if (!/^[A-Za-z0-9._~[\]:-]+$/.test(host)) throw invalid(`invalid registry ${JSON.stringify(host)}`);
  if (!repositoryForm.test(repository)) throw invalid(`invalid repository ${JSON.stringify(repository)}`);
  if (colon >= 0 && !/^\w[\w.-]{0,127}$/.test(tag)) throw invalid(`invalid tag ${JSON.stringify(tag)}`);
  if (rest.length > 0 && !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw invalid(`invalid digest ${JSON.stringify(digest)}: ${digestProblem(digest)}`);
  return { host, repository, tag, digest };
}

/** The words are those of opencontainers/go-digest; of its algorithms, charts are pulled by the one that registries use. */
function digestProblem(digest: string): string {
  if (!/^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(digest)) return 'invalid checksum digest format';
  if (!digest.startsWith('sha256:')) return 'unsupported digest algorithm';
  return digest.length === 'sha256:'.length + 64 ? 'invalid checksum digest format' : 'invalid checksum digest length';
}

const secret = z.string().nullish();
const DockerConfig = z.object({
  auths: z.record(z.string(), z.object({ auth: secret, username: secret, password: secret })).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});

const maxConfigBytes = 5 * 1024 * 1024;

/** The login that `helm registry login` or `docker login` left for a host. Programs that keep credentials are not run. */
export function storedLogin(host: string, flags: Flags): Login | undefined {
  for (const path of registryConfigPaths(flags)) {
    if (!existsSync(path) || statSync(path).size > maxConfigBytes) continue;
    let config: z.infer<typeof DockerConfig>;
    try {
      config = DockerConfig.parse(JSON.parse(readFileSync(path, 'utf8')));
    } catch {
      throw new HelmError(`${path} cannot be read: it is not what helm registry login writes`);
    }
    const entry = Object.entries(config.auths ?? {}).find(([name]) => name.replace(/^https?:\/\//, '').replace(/\/.*$/, '') === host)?.[1];
    if (!entry) continue;
    const [username = '', ...rest] = Buffer.from(entry.auth ?? '', 'base64')
      .toString('utf8')
      .split(':');
    const login = { username: entry.username ?? username, password: entry.password ?? rest.join(':') };
    if (login.username === '' || login.password === '') continue;
    registerSecret(login.password);
    return login;
  }
  return undefined;
}

export function openRegistry(host: string, flags: Flags): RegistryClient {
  const url = `${flags.isOn('plain-http') ? 'http' : 'https'}://${host}`;
  return createRegistryClient({
    url,
    credentials: loginOf(flags) ?? storedLogin(host, flags),
    ...tlsOf(flags),
    ...proxySettings(new URL(url), process.env),
    signal: AbortSignal.timeout(600_000),
  });
}

export interface PulledChart {
  readonly archive: Buffer;
  readonly provenance: Buffer | undefined;
  /** `NAME-VERSION.tgz`, as Helm calls the file. */
  readonly fileName: string;
  /** For `Pulled:` and `Digest:`. */
  readonly reference: string;
  readonly digest: string;
}

/** Downloads a chart; a range or no version takes the newest tag that fits. @throws HelmError, OciError */
export async function pullChart(reference: string, version: string, flags: Flags): Promise<PulledChart> {
  const parsed = parseReference(reference);
  const { host, repository } = parsed;
  const client = openRegistry(host, flags);
  let asked = `${host}/${repository}`;
  try {
    const tag = parsed.digest ? '' : await chooseTag(client, parsed, version);
    asked += parsed.digest ? `@${parsed.digest}` : `:${tag}`;
    if (parsed.digest && parsed.tag) await checkTag(client, parsed);
    const manifest = await client.getManifest(repository, parsed.digest || tag);
    const { chart, provenance } = layersOf(parseManifest(manifest.bytes, manifest.mediaType), reference);
    const blob = async (layer: typeof chart): Promise<Buffer> => {
      if (layer.size > maxArchiveBytes) throw new HelmError(`${reference} is larger than ${maxArchiveBytes} bytes`);
      return buffer(await client.pullBlob(repository, layer));
    };
    const name = repository.slice(repository.lastIndexOf('/') + 1);
    return {
      archive: await blob(chart),
      provenance: provenance && (await blob(provenance)),
      fileName: tag === '' ? `${name}@${manifest.digest.replace(':', '-')}.tgz` : `${name}-${versionOf(tag)}.tgz`,
      reference: tag === '' ? `${host}/${repository}@${manifest.digest}` : `${host}/${repository}:${tag}`,
      digest: manifest.digest,
    };
  } catch (error) {
    throw asHelm(error, asked, 'pull');
  } finally {
    client.close();
  }
}

/** A tag beside a digest must stand for it. */
async function checkTag(client: RegistryClient, { repository, tag, digest }: ChartReference): Promise<void> {
  const found = await client.resolve(repository, tag);
  if (found && found.digest !== digest) throw new HelmError(`chart reference digest mismatch: ${found.digest} is not ${digest}`);
}

async function chooseTag(client: RegistryClient, { repository, tag, host }: ChartReference, version: string): Promise<string> {
  if (tag !== '') {
    if (version !== '' && tagOf(version) !== tag)
      throw new HelmError(`chart reference and version mismatch: ${version} is not ${versionOf(tag)}`);
    return tag;
  }
  if (/^v?\d+(\.\d+){0,2}([-+][0-9A-Za-z.+-]+)?$/.test(version)) return tagOf(version);
  const versions = sortVersions((await client.listTags(repository)).map(versionOf));
  if (versions.length === 0) throw new HelmError(`unable to locate any tags in provided repository: oci://${host}/${repository}`);
  const fits = versionTest(version);
  const found = versions.find(fits);
  if (found === undefined) throw new HelmError(`could not locate a version matching provided version string ${version}`);
  return tagOf(found);
}

type Layer = Extract<Manifest, { kind: 'image' }>['layers'][number];

function layersOf(manifest: Manifest, reference: string): { chart: Layer; provenance: Layer | undefined } {
  if (manifest.kind !== 'image') throw new HelmError(`${reference} is an index of several images, not a chart`);
  const chart = manifest.layers.find(({ mediaType }) => mediaType === types.chart || mediaType === types.oldChart);
  if (!chart) throw new HelmError(`could not load config with mediatype ${types.config}`);
  return { chart, provenance: manifest.layers.find(({ mediaType }) => mediaType === types.provenance) };
}

/** Versions that a repository has, newest first. */
export async function listVersions(reference: string, flags: Flags): Promise<string[]> {
  const { host, repository } = parseReference(reference);
  const client = openRegistry(host, flags);
  try {
    return sortVersions((await client.listTags(repository)).map(versionOf));
  } catch (error) {
    throw asHelm(error, `${host}/${repository}`, 'pull');
  } finally {
    client.close();
  }
}

export interface ChartToPush {
  readonly metadata: Metadata;
  readonly archive: Buffer;
  readonly provenance: Buffer | undefined;
  /** When the archive was written. */
  readonly created: Date;
}

/** Uploads a chart below a repository, its name and version as path and tag. */
export async function pushChart(remote: string, chart: ChartToPush, flags: Flags): Promise<{ reference: string; digest: string }> {
  const { metadata } = chart;
  const target = parseReference(`${remote.replace(/\/+$/, '')}/${metadata.name}:${metadata.version}`);
  const client = openRegistry(target.host, flags);
  const blob = (mediaType: string, data: Buffer) => ({ descriptor: { mediaType, digest: digestOf(data), size: data.length }, data });
  const config = blob(types.config, Buffer.from(metadataJson(metadata)));
  const layers = [blob(types.chart, chart.archive)];
  if (chart.provenance) layers.push(blob(types.provenance, chart.provenance));
  layers.sort((a, b) => (a.descriptor.digest < b.descriptor.digest ? -1 : 1));
  // To the byte what Helm pushes: the digest is the same, whoever pushes.
  const manifest = {
    schemaVersion: 2,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
    annotations: annotationsOf(metadata, chart.created),
  };
  const bytes = Buffer.from(goJson(manifest));
  try {
    // What is there under its digest is there whole: it only gets its tag.
    if (!(await client.resolve(target.repository, digestOf(bytes))))
      for (const { descriptor, data } of [config, ...layers])
        await client.pushBlob(target.repository, descriptor, () => Readable.from([data]));
    const digest = await client.pushManifest(target.repository, target.tag, { mediaType: types.manifest, bytes });
    return { reference: `${target.host}/${target.repository}:${target.tag}`, digest };
  } catch (error) {
    throw asHelm(error, remote, 'push');
  } finally {
    client.close();
  }
}

/** JSON as Go writes it: what HTML would take for its own is escaped. */
const goJson = (value: object): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

const prefix = 'org.opencontainers.image.';

/** What a registry shows of a chart: Chart.yaml's fields under the names of the image specification. */
function annotationsOf(metadata: Metadata, created: Date): Record<string, string> {
  const authors = (metadata.maintainers ?? []).map(({ name, email }) => name + (email ? ` (${email})` : '')).join(', ');
  const own: [string, string][] = [
    ['authors', authors],
    ['created', created.toISOString().replace(/\.\d+Z$/, 'Z')],
    ['description', metadata.description],
    ['source', metadata.sources?.[0] ?? ''],
    ['title', metadata.name],
    ['url', metadata.home],
    ['version', metadata.version],
  ];
  const out = new Map(own.filter(([, value]) => value.trim() !== '').map(([key, value]) => [prefix + key, value]));
  for (const [key, value] of metadata.annotations ?? []) if (key !== `${prefix}title` && key !== `${prefix}version`) out.set(key, value);
  return Object.fromEntries([...out].sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Doing = 'pull' | 'push';

/** What Helm was about, by the request that failed. */
function stepOf(doing: Doing, method: string, url: string): string {
  const isManifest = url.includes('/manifests/');
  if (!isManifest && !url.includes('/blobs/')) return '';
  if (doing === 'pull') return `failed to perform "${isManifest ? 'FetchReference' : 'Fetch'}" on source: `;
  return `failed to perform "${method === 'HEAD' ? 'Exists' : 'Push'}" on destination: `;
}

/** A registry's refusal in Helm's words. */
function asHelm(error: unknown, reference: string, doing: Doing): unknown {
  if (!(error instanceof OciError)) return error;
  const { refused } = error;
  if (refused) {
    const { method, url } = refused.wanted ?? refused;
    const isMissing = doing === 'pull' && refused.status === 404 && url.includes('/manifests/');
    return new HelmError(stepOf(doing, method, url) + (isMissing ? `${reference}: not found` : refusalOf(refused)));
  }
  const [, method, url] = (error.code === 'UPSTREAM_UNREACHABLE' && /^([A-Z]+) (\S+) failed: /.exec(error.message)) || [];
  if (!method || !url) return new HelmError(`${error.message}${error.cure ? ` (${error.cure})` : ''}`);
  const call = `${method[0]}${method.slice(1).toLowerCase()} ${JSON.stringify(url)}`;
  return new HelmError(`${stepOf(doing, method, url)}${call}: ${networkReason(error.cause)}`);
}

function refusalOf({ method, url, status, errors, wanted }: RefusedCall): string {
  const said = errors.map(({ code, message }) => code.toLowerCase().replaceAll('_', ' ') + (message ? `: ${message}` : ''));
  const why = `${method} ${JSON.stringify(url)}: response status code ${status}: ${said.join('; ') || (STATUS_CODES[status] ?? '')}`;
  return wanted ? `${wanted.method} ${JSON.stringify(wanted.url)}: ${why}` : why;
}
