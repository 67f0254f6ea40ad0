import type { Readable } from 'node:stream';
import { z } from 'zod';
import { algorithmOf, type ContentDigest, digestOf, parseDigest } from '../digest.ts';
import { OciError } from '../errors.ts';
import { Descriptor, manifestTypes, maxManifestBytes, mediaTypes } from '../manifest.ts';
import { isRepositoryName, isTag } from '../names.ts';
import { Credentials, type RegistryCredentials } from './credentials.ts';
import { dropAnswer, type HttpAnswer, HttpConnections, type HttpTrust, readAnswer } from './http.ts';
import { refusedCall } from './refused.ts';
import { verifiedStream } from './verified-stream.ts';

export interface RegistryClientOptions extends HttpTrust {
  /** `http://…` or `https://…`, with or without a path. */
  readonly url: string;
  /** None: only what the registry gives to anybody. */
  readonly credentials?: RegistryCredentials | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FetchedManifest {
  readonly digest: ContentDigest;
  readonly mediaType: string;
  /** Exactly as the registry sent them; they hash to `digest`. */
  readonly bytes: Buffer;
}

/** A blob's bytes, as often as they are asked for: a push that must be repeated reads them anew. */
export type BlobSource = () => Readable | Promise<Readable>;

/** A client of any registry that speaks OCI Distribution 1.1 (and of older ones, as far as they go). */
export interface RegistryClient {
  readonly url: string;
  /** Throws unless the registry answers and takes the credentials. */
  ping(): Promise<void>;
  /** What a tag or digest stands for; undefined when it is not there. A policy's refusal is an error, not an absence. */
  resolve(repository: string, reference: string): Promise<Descriptor | undefined>;
  /** @throws OciError MANIFEST_UNKNOWN, PROJECTPOLICYVIOLATION, CONTENT_MISMATCH */
  getManifest(repository: string, reference: string): Promise<FetchedManifest>;
  /** The blob as a stream that fails at its end unless it is what its digest promises. */
  pullBlob(repository: string, blob: { digest: ContentDigest; size?: number }): Promise<Readable>;
  hasBlob(repository: string, digest: ContentDigest): Promise<boolean>;
  /** Looks first, then mounts from `mountFrom`, then pushes. Says which of the three did it. */
  pushBlob(
    repository: string,
    blob: { digest: ContentDigest; size: number },
    source: BlobSource,
    options?: { mountFrom?: string },
  ): Promise<'present' | 'mounted' | 'pushed'>;
  /** Does not look at what the tag holds now: a policy that prevents reading the old image must not prevent its repair. */
  pushManifest(repository: string, reference: string, manifest: { mediaType: string; bytes: Uint8Array }): Promise<ContentDigest>;
  /** Manifests that name `digest` as their subject, from the API or, where that is missing, from the fallback tag. */
  referrers(repository: string, digest: ContentDigest, options?: { artifactType?: string }): Promise<Descriptor[]>;
  listTags(repository: string): Promise<string[]>;
  /** Deletes a tag or, by digest, a manifest. False when it was not there. */
  deleteManifest(repository: string, reference: string): Promise<boolean>;
  close(): void;
}

const accept = [...manifestTypes].join(', ');
const maxRedirects = 5;
const maxPages = 1000;

interface CallOptions {
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | BlobSource;
}

export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  const base = new URL(options.url);
  const connections = new HttpConnections(options);
  const credentials = new Credentials(base, options.credentials, connections);

  const target = (path: string) => new URL(`${base.pathname.replace(/\/$/, '')}/v2/${path}`, base);
  const pull = (repository: string) => [`repository:${repository}:pull`];
  const push = (repository: string) => [`repository:${repository}:pull,push`];

  /** Sends; answers one challenge; follows redirects, to other origins without credentials. */
  async function call(method: string, url: URL, { scopes, headers = {}, body }: CallOptions): Promise<HttpAnswer> {
    let authorization = credentials.known(scopes);
    // A stream can be sent once: know the challenge's answer before it flows.
    if (authorization === undefined && typeof body === 'function') authorization = await authorize(scopes);
    let challenged = false;
    let address = url;
    for (let redirects = 0; redirects <= maxRedirects; ) {
      const own = address.origin === base.origin;
      const answer = await connections.call({
        method,
        url: address,
        headers: { ...headers, ...(own && authorization ? { authorization } : {}) },
        ...(body === undefined ? {} : { body: typeof body === 'function' ? await body() : body }),
        signal: options.signal,
      });
      if (answer.status === 401 && own && !challenged) {
        challenged = true;
        const next = await credentials.answer(answer.headers['www-authenticate'], scopes, options.signal, { method, url: address.href });
        if (next !== undefined) {
          dropAnswer(answer);
          authorization = next;
          continue;
        }
      }
      const location = answer.headers.location;
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined || !['GET', 'HEAD'].includes(method)) return answer;
      dropAnswer(answer);
      const next = addressIn(location, address);
      if (address.protocol === 'https:' && next.protocol !== 'https:')
        throw protocolError(`redirects ${method} to an address that is not encrypted`);
      address = next;
      redirects += 1;
    }
    throw protocolError(`redirects more than ${maxRedirects} times`);
  }

  async function authorize(scopes: readonly string[]): Promise<string | undefined> {
    const answer = await connections.call({ method: 'GET', url: target(''), headers: {}, signal: options.signal });
    dropAnswer(answer);
    return answer.status === 401 ? credentials.answer(answer.headers['www-authenticate'], scopes, options.signal) : undefined;
  }

  const protocolError = (why: string) => new OciError('UPSTREAM_PROTOCOL', `The registry ${base.origin} ${why}.`, { kind: 'upstream' });

  /** The error of an answer that is none of the expected ones. */
  async function refusal(answer: HttpAnswer, what: string): Promise<OciError> {
    const text = answer.body.readableEnded ? '' : (await readAnswer(answer, 1024 * 1024).catch(() => Buffer.alloc(0))).toString('utf8');
    const refused = refusedCall(answer, text);
    const [first] = refused.errors;
    const message = `${base.origin}: ${what}: ${answer.status}${first ? ` ${first.code}: ${first.message ?? ''}` : ''}`;
    const { status } = answer;
    if (status === 401 || status === 403) {
      const code = status === 401 ? 'UNAUTHORIZED' : 'DENIED';
      return new OciError(code, message, { cure: 'Use an account that has the right in this project.', refused });
    }
    if (status === 412)
      return new OciError(first?.code === 'PRECONDITION' ? 'PRECONDITION' : 'PROJECTPOLICYVIOLATION', message, { refused });
    if (status === 404)
      return new OciError(
        first?.code === 'NAME_UNKNOWN' ? 'NAME_UNKNOWN' : what.includes('blob') ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN',
        message,
        { refused },
      );
    if (status === 429)
      return new OciError('TOOMANYREQUESTS', message, { kind: 'upstream', retryable: true, cure: 'Try again later.', refused });
    return new OciError('UPSTREAM_REFUSED', message, { kind: 'upstream', retryable: status >= 500, refused });
  }

  const checkName = (repository: string) => {
    if (!isRepositoryName(repository))
      throw new OciError('NAME_INVALID', `${JSON.stringify(repository.slice(0, 300))} is no repository name.`);
  };
  const checkReference = (reference: string): ContentDigest | undefined => {
    if (reference.includes(':')) return parseDigest(reference);
    if (!isTag(reference)) throw new OciError('TAG_INVALID', `${JSON.stringify(reference.slice(0, 150))} is neither tag nor digest.`);
    return undefined;
  };
  const mediaTypeOf = (answer: HttpAnswer) => answer.headers['content-type']?.split(';', 1)[0]?.trim() ?? mediaTypes.ociManifest;

  const client: RegistryClient = {
    url: options.url,

    ping: async () => {
      const answer = await call('GET', target(''), { scopes: [] });
      if (answer.status !== 200) throw await refusal(answer, 'the version check');
      dropAnswer(answer);
    },

    resolve: async (repository, reference) => {
      checkName(repository);
      const digest = checkReference(reference);
      const answer = await call('HEAD', target(`${repository}/manifests/${reference}`), { scopes: pull(repository), headers: { accept } });
      dropAnswer(answer);
      if (answer.status === 404) return undefined;
      // HEAD has no body to say why: GET does.
      const stated = answer.headers['docker-content-digest'];
      const size = Number(answer.headers['content-length'] ?? Number.NaN);
      if (
        answer.status === 200 &&
        typeof stated === 'string' &&
        Number.isSafeInteger(size) &&
        (digest === undefined || digest === stated)
      ) {
        return { mediaType: mediaTypeOf(answer), digest: parseDigest(stated), size };
      }
      const manifest = await client.getManifest(repository, reference);
      return { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length };
    },

    getManifest: async (repository, reference) => {
      checkName(repository);
      const wanted = checkReference(reference);
      const answer = await call('GET', target(`${repository}/manifests/${reference}`), { scopes: pull(repository), headers: { accept } });
      if (answer.status !== 200) throw await refusal(answer, `get manifest ${repository}:${reference}`);
      const bytes = await readAnswer(answer, maxManifestBytes);
      const digest = digestOf(bytes, wanted ? algorithmOf(wanted) : 'sha256');
      if (wanted && wanted !== digest) {
        throw new OciError('CONTENT_MISMATCH', `${base.origin} answered ${repository}@${wanted} with bytes that are ${digest}.`, {
          kind: 'upstream',
        });
      }
      return { digest, mediaType: mediaTypeOf(answer), bytes };
    },

    pullBlob: async (repository, { digest, size }) => {
      checkName(repository);
      const path = target(`${repository}/blobs/${digest}`);
      const what = `get blob ${repository}@${digest}`;
      const begin = async (offset: number) => {
        const answer = await call('GET', path, { scopes: pull(repository), headers: offset > 0 ? { range: `bytes=${offset}-` } : {} });
        if (answer.status !== (offset > 0 ? 206 : 200)) throw await refusal(answer, what);
        return answer.body as AsyncIterable<Buffer>;
      };
      const first = await begin(0);
      async function* resumed() {
        let offset = 0;
        let source = first;
        for (let attempt = 0; ; attempt += 1) {
          try {
            for await (const piece of source) {
              offset += piece.length;
              yield piece;
            }
            return;
          } catch (cause) {
            // A connection that broke off in the middle is taken up where it stood.
            if (attempt >= 3 || size === undefined || offset === 0 || offset >= size || options.signal?.aborted) {
              throw new OciError('UPSTREAM_UNREACHABLE', `${base.origin}: ${what} broke off after ${offset} bytes.`, {
                kind: 'upstream',
                retryable: true,
                cause,
              });
            }
            source = await begin(offset);
          }
        }
      }
      return verifiedStream(resumed(), digest, size, `blob ${repository}`);
    },

    hasBlob: async (repository, digest) => {
      checkName(repository);
      const answer = await call('HEAD', target(`${repository}/blobs/${digest}`), { scopes: push(repository) });
      dropAnswer(answer);
      if (answer.status === 200) return true;
      if (answer.status === 404) return false;
      throw await refusal(answer, `look for blob ${repository}@${digest}`);
    },

    pushBlob: async (repository, { digest, size }, source, { mountFrom } = {}) => {
      if (await client.hasBlob(repository, digest)) return 'present';
      const scopes = mountFrom === undefined ? push(repository) : [...push(repository), ...pull(mountFrom)];
      const query = mountFrom === undefined ? '' : `?${new URLSearchParams({ mount: digest, from: mountFrom })}`;
      const started = await call('POST', target(`${repository}/blobs/uploads/${query}`), { scopes, headers: { 'content-length': '0' } });
      if (started.status === 201) {
        dropAnswer(started);
        return 'mounted';
      }
      if (started.status !== 202) throw await refusal(started, `push blob to ${repository}`);
      dropAnswer(started);
      if (!started.headers.location) throw protocolError('began an upload without saying where');
      const location = addressIn(started.headers.location, target(`${repository}/blobs/uploads/`));
      if (location.origin !== base.origin) throw protocolError('wants the upload at another origin, which is not supported');
      location.searchParams.set('digest', digest);
      const answer = await call('PUT', location, {
        scopes: push(repository),
        headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
        body: async () => verifiedStream((await source()) as AsyncIterable<Buffer>, digest, size, `the blob for ${repository}`),
      });
      if (answer.status !== 201) throw await refusal(answer, `push blob to ${repository}`);
      dropAnswer(answer);
      return 'pushed';
    },

    pushManifest: async (repository, reference, { mediaType, bytes }) => {
      checkName(repository);
      const wanted = checkReference(reference);
      const digest = digestOf(bytes, wanted ? algorithmOf(wanted) : 'sha256');
      if (wanted && wanted !== digest)
        throw new OciError('CONTENT_MISMATCH', `The manifest for ${repository} is ${digest}, not ${wanted}.`, { kind: 'bug' });
      const answer = await call('PUT', target(`${repository}/manifests/${reference}`), {
        scopes: push(repository),
        headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
        body: bytes,
      });
      if (answer.status !== 201) throw await refusal(answer, `push manifest ${repository}:${reference}`);
      dropAnswer(answer);
      return digest;
    },

    referrers: async (repository, digest, { artifactType } = {}) => {
      checkName(repository);
      const found: Descriptor[] = [];
      const first = target(`${repository}/referrers/${digest}`);
      if (artifactType !== undefined) first.searchParams.set('artifactType', artifactType);
      for await (const page of pages(first, pull(repository), `list referrers of ${repository}@${digest}`)) {
        if (page === undefined) {
          // A registry before 1.1: its clients keep the list under a tag (distribution-spec, "Referrers Tag Schema").
          const fallback = await client.getManifest(repository, digest.replace(':', '-')).catch((error: unknown) => {
            if (error instanceof OciError && (error.code === 'MANIFEST_UNKNOWN' || error.code === 'NAME_UNKNOWN')) return undefined;
            throw error;
          });
          if (fallback) found.push(...parsePage(ReferrersPage, fallback.bytes, 'referrers list').manifests);
        } else found.push(...parsePage(ReferrersPage, page, 'referrers list').manifests);
      }
      return artifactType === undefined ? found : found.filter((descriptor) => descriptor.artifactType === artifactType);
    },

    listTags: async (repository) => {
      checkName(repository);
      const tags: string[] = [];
      for await (const page of pages(target(`${repository}/tags/list`), pull(repository), `list tags of ${repository}`)) {
        if (page !== undefined) tags.push(...(parsePage(TagsPage, page, 'list of tags').tags ?? []));
      }
      return tags;
    },

    deleteManifest: async (repository, reference) => {
      checkName(repository);
      checkReference(reference);
      const answer = await call('DELETE', target(`${repository}/manifests/${reference}`), {
        scopes: [`repository:${repository}:pull,push,delete`],
      });
      if (answer.status === 202 || answer.status === 404) {
        dropAnswer(answer);
        return answer.status === 202;
      }
      throw await refusal(answer, `delete manifest ${repository}:${reference}`);
    },

    close: () => connections.close(),
  };

  /** Pages of a listing along `Link: …; rel="next"`; undefined when there is none at all (404). */
  async function* pages(first: URL, scopes: readonly string[], what: string): AsyncGenerator<Buffer | undefined> {
    let url = first;
    for (let count = 0; count < maxPages; count += 1) {
      const answer = await call('GET', url, { scopes, headers: { accept: `${mediaTypes.ociIndex}, application/json` } });
      if (answer.status === 404) {
        dropAnswer(answer);
        yield undefined;
        return;
      }
      if (answer.status !== 200) throw await refusal(answer, what);
      yield await readAnswer(answer, maxManifestBytes);
      const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(answer.headers['link'] ?? ''))?.[1];
      if (next === undefined) return;
      url = addressIn(next, url);
      if (url.origin !== base.origin) throw protocolError('continues a listing at another origin');
    }
    throw protocolError(`has over ${maxPages} pages for one listing`);
  }

  const ReferrersPage = z.object({
    manifests: z
      .array(Descriptor)
      .nullish()
      .transform((list) => list ?? []),
  });
  const TagsPage = z.object({ tags: z.array(z.string()).nullish() });
  function parsePage<T>(schema: z.ZodType<T>, bytes: Buffer, what: string): T {
    try {
      return schema.parse(JSON.parse(bytes.toString('utf8')));
    } catch {
      throw protocolError(`answers the ${what} with something else`);
    }
  }

  /** An address that the registry names, which may be relative. */
  function addressIn(text: string, from: URL): URL {
    if (!URL.canParse(text, from.href)) throw protocolError('names what is no address');
    return new URL(text, from);
  }

  return client;
}
