import { createHash } from 'node:crypto';
import { algorithmOf, type ContentDigest, parseDigest } from '../digest.ts';
import { OciError } from '../errors.ts';
import { isRepositoryName, projectOf } from '../names.ts';
import type { Upload } from '../store/blob-files.ts';
import type { Repository } from '../store/metadata.ts';
import type { Caller } from './access.ts';
import { knownRepository, type RegistryContext, writableRepository } from './context.ts';
import { type Exchange, sendEmpty } from './wire.ts';

/** end-2: HEAD and GET of a blob, with one byte range (RFC 9110, section 14). */
export async function serveBlob(context: RegistryContext, exchange: Exchange, name: string, reference: string): Promise<void> {
  await context.gate.demand(exchange, name, 'pull');
  const digest = parseDigest(reference);
  const size = context.metadata.blobSize(knownRepository(context, name).id, digest);
  if (size === undefined) throw blobUnknown(name, digest);
  const headers: Record<string, string | number> = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
    'cache-control': 'private, max-age=31536000, immutable',
  };
  const range = exchange.method === 'GET' ? byteRange(exchange.request.headers.range, size) : undefined;
  const { start, end } = range ?? { start: 0, end: size - 1 };
  headers['content-length'] = end - start + 1;
  if (range) headers['content-range'] = `bytes ${start}-${end}/${size}`;
  exchange.response.writeHead(range ? 206 : 200, headers);
  if (exchange.method === 'HEAD' || size === 0) {
    exchange.response.end();
    return;
  }
  try {
    await context.blobs.send(digest, start, end, exchange.response);
    exchange.response.end();
  } catch (error) {
    // The client went away: its own affair.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_STREAM_PREMATURE_CLOSE' && code !== 'ECONNRESET' && code !== 'EPIPE' && code !== 'ERR_STREAM_DESTROYED') throw error;
  }
}

const blobUnknown = (name: string, digest: ContentDigest) => new OciError('BLOB_UNKNOWN', `blob unknown to registry: ${name}@${digest}`);

/** The range that was asked for; undefined for none, for several, and for units that we do not know (all allowed by RFC 9110). */
function byteRange(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const [, first, last] = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start > end) {
    throw new OciError('RANGE_INVALID', `The blob has ${size} bytes; the range ${header} lies outside.`, {
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  return { start, end };
}

/** end-10: this repository no longer sees the blob; the bytes go when nobody sees them. */
export async function deleteBlob(context: RegistryContext, exchange: Exchange, name: string, reference: string): Promise<void> {
  await context.gate.demand(exchange, name, 'delete');
  const digest = parseDigest(reference);
  const repository = knownRepository(context, name);
  if (context.metadata.blobSize(repository.id, digest) === undefined) throw blobUnknown(name, digest);
  const user = context.metadata.parentOf(repository.id, digest);
  if (user) throw new OciError('UNSUPPORTED', `blob ${digest} is part of manifest ${user}`, { cure: 'Delete the manifest first.' });
  await context.metadata.unlinkBlob(repository.id, digest);
  sendEmpty(exchange, 202);
}

/** An upload belongs to a repository and to whom began it: nobody else can write to it. */
const ownerOf = (repository: Repository, { principal }: Caller) =>
  `${repository.id}-${createHash('sha256').update(`${principal.kind}/${principal.name}`).digest('hex').slice(0, 32)}`;

const uploadHeaders = (name: string, upload: Upload) => ({
  location: `/v2/${name}/blobs/uploads/${upload.id}`,
  range: `0-${Math.max(0, upload.offset - 1)}`,
  'docker-upload-uuid': upload.id,
});

/** end-4a, end-4b, end-11: begin an upload, send a blob at once, or mount one that the caller may see elsewhere. */
export async function startUpload(context: RegistryContext, exchange: Exchange, name: string): Promise<void> {
  const caller = await context.gate.demand(exchange, name, 'push');
  const repository = await writableRepository(context, name);
  const mount = exchange.query.get('mount');
  if (mount !== null && (await mountBlob(context, exchange, caller, repository, parseDigest(mount)))) return;
  const owner = ownerOf(repository, caller);
  if (context.blobs.countUploads(`${repository.id}-`) >= context.limits.openUploads) {
    throw new OciError('TOOMANYREQUESTS', `${name} has ${context.limits.openUploads} uploads open.`, {
      retryable: true,
      cure: 'Finish or cancel some, or try again later.',
      headers: { 'retry-after': '5' },
    });
  }
  const monolithic = exchange.query.get('digest');
  const digest = monolithic === null ? undefined : parseDigest(monolithic);
  const upload = await context.blobs.startUpload(owner);
  if (digest === undefined) {
    exchange.request.resume();
    sendEmpty(exchange, 202, uploadHeaders(name, upload));
    return;
  }
  try {
    await receive(context, exchange, upload, name);
  } catch (error) {
    await context.blobs.cancelUpload(owner, upload);
    throw error;
  }
  await finish(context, exchange, repository, owner, upload, digest);
}

/** 201 when the caller may see the blob in `from`, or, without `from`, anywhere: else false, and a plain upload follows (end-11). */
async function mountBlob(
  context: RegistryContext,
  exchange: Exchange,
  caller: Caller,
  target: Repository,
  digest: ContentDigest,
): Promise<boolean> {
  const from = exchange.query.get('from');
  if (from === null || !isRepositoryName(from) || !from.includes('/')) return false;
  // The token may lack the source's scope (clients ask for it or do not); the person's right decides.
  if (!context.gate.mayDo(caller.principal, projectOf(from), 'pull')) return false;
  const source = context.metadata.repository(context.options.name, from);
  const size = source && context.metadata.blobSize(source.id, digest);
  if (size === undefined) return false;
  exchange.request.resume();
  await context.metadata.linkBlob(target.id, digest, size, context.clock.now().getTime());
  sendEmpty(exchange, 201, { location: `/v2/${target.name}/blobs/${digest}`, 'docker-content-digest': digest });
  return true;
}

async function openUpload(context: RegistryContext, exchange: Exchange, name: string, id: string) {
  const caller = await context.gate.demand(exchange, name, 'push');
  const repository = knownRepository(context, name);
  const owner = ownerOf(repository, caller);
  const upload = await context.blobs.findUpload(owner, id);
  if (!upload) {
    throw new OciError('BLOB_UPLOAD_UNKNOWN', `blob upload unknown to registry: ${id.slice(0, 80)}`, { cure: 'Begin the upload again.' });
  }
  return { repository, owner, upload };
}

/** end-13: how far the upload is. */
export async function uploadStatus(context: RegistryContext, exchange: Exchange, name: string, id: string): Promise<void> {
  const { upload } = await openUpload(context, exchange, name, id);
  sendEmpty(exchange, 204, uploadHeaders(name, upload));
}

/** end-5: one chunk, with or without Content-Range. */
export async function patchUpload(context: RegistryContext, exchange: Exchange, name: string, id: string): Promise<void> {
  const { upload } = await openUpload(context, exchange, name, id);
  await receive(context, exchange, upload, name);
  sendEmpty(exchange, 202, uploadHeaders(name, upload));
}

/** end-6: the last bytes, if any, and the digest of all. */
export async function putUpload(context: RegistryContext, exchange: Exchange, name: string, id: string): Promise<void> {
  const { repository, owner, upload } = await openUpload(context, exchange, name, id);
  const reference = exchange.query.get('digest');
  if (reference === null) throw new OciError('DIGEST_INVALID', 'The upload was ended without a digest.', { cure: 'Send ?digest=.' });
  const digest = parseDigest(reference);
  await receive(context, exchange, upload, name);
  await finish(context, exchange, repository, owner, upload, digest);
}

/** end-14 */
export async function cancelUpload(context: RegistryContext, exchange: Exchange, name: string, id: string): Promise<void> {
  const { owner, upload } = await openUpload(context, exchange, name, id);
  if (upload.busy) throw busy();
  await context.blobs.cancelUpload(owner, upload);
  sendEmpty(exchange, 204);
}

const busy = () =>
  new OciError('TOOMANYREQUESTS', 'Another request is writing to this upload.', { retryable: true, headers: { 'retry-after': '1' } });

const transfers = new WeakMap<RegistryContext, { count: number }>();

/** Takes the body into the upload, at the place where the client says it belongs. */
async function receive(context: RegistryContext, exchange: Exchange, upload: Upload, name: string): Promise<void> {
  if (upload.busy) throw busy();
  const { request } = exchange;
  checkChunk(exchange, upload, name);
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (upload.offset + (Number.isNaN(length) ? 0 : length) > context.limits.blobBytes) {
    throw new OciError('CONTENT_TOO_LARGE', `A blob may have ${context.limits.blobBytes} bytes.`, { cure: 'Make the layer smaller.' });
  }
  if (length === 0) return;
  let active = transfers.get(context);
  if (!active) {
    active = { count: 0 };
    transfers.set(context, active);
  }
  if (active.count >= context.limits.transfers) {
    throw new OciError('TOOMANYREQUESTS', `${active.count} uploads are being received.`, {
      retryable: true,
      headers: { 'retry-after': '1' },
    });
  }
  active.count += 1;
  upload.busy = true;
  try {
    await upload.append(request as AsyncIterable<Buffer>, context.limits.blobBytes);
  } catch (error) {
    if (error instanceof OciError) throw error;
    throw new OciError('BLOB_UPLOAD_INVALID', `The upload broke off after ${upload.offset} bytes.`, {
      retryable: true,
      cure: 'Ask for its status and resume.',
      cause: error,
    });
  } finally {
    upload.busy = false;
    active.count -= 1;
  }
}

/** distribution-spec, "Pushing a blob in chunks": `START-END`, in order, as long as the body; 416 tells where the upload stands. */
function checkChunk(exchange: Exchange, upload: Upload, name: string): void {
  const header = exchange.request.headers['content-range'];
  if (header === undefined) return;
  const [, first, last] = /^(?:bytes[ =])?(\d{1,16})-(\d{1,16})(?:\/(?:\d+|\*))?$/.exec(header) ?? [];
  const refuse = (why: string) =>
    new OciError('RANGE_INVALID', `The chunk ${header.slice(0, 60)} ${why}.`, { headers: uploadHeaders(name, upload) });
  if (first === undefined || last === undefined) throw refuse('is no range START-END');
  if (Number(first) !== upload.offset) throw refuse(`does not begin at byte ${upload.offset}`);
  const length = exchange.request.headers['content-length'];
  if (Number(last) < Number(first) || (length !== undefined && Number(length) !== Number(last) - Number(first) + 1)) {
    throw new OciError('SIZE_INVALID', `The chunk ${header} does not have ${length ?? 'that many'} bytes.`);
  }
}

async function finish(
  context: RegistryContext,
  exchange: Exchange,
  repository: Repository,
  owner: string,
  upload: Upload,
  digest: ContentDigest,
): Promise<void> {
  await context.blobs.finishUpload(owner, upload, digest, (size) =>
    context.metadata.linkBlob(repository.id, digest, size, context.clock.now().getTime()),
  );
  context.log.debug({ repository: repository.name, digest, bytes: upload.offset, algorithm: algorithmOf(digest) }, 'Received a blob.');
  sendEmpty(exchange, 201, { location: `/v2/${repository.name}/blobs/${digest}`, 'docker-content-digest': digest });
}
