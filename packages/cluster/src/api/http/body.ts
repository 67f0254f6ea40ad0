import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { parseDocument } from 'yaml';
import { decodeProtobuf, SchemaError } from '../../schema/index.ts';
import { ApiError, badRequest } from '../errors.ts';
import type { PatchType } from '../objects/patch.ts';

/** Bytes of a request body, as in the real server (etcd's limit doubled). */
export const maxBodyBytes = 3 * 1024 * 1024;
export const maxBodyDepth = 200;

/** Reads the whole body; over the limit the rest is not even read. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBodyBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (request.headers['content-encoding'] !== 'gzip') return body;
  try {
    return gunzipSync(body, { maxOutputLength: maxBodyBytes });
  } catch (cause) {
    throw badRequest('the body is no gzip, or larger than 3 MiB when unpacked', cause);
  }
}

const tooLarge = () => new ApiError('RequestEntityTooLarge', `the request body is larger than ${maxBodyBytes} bytes`);

const jsonTypes = new Set(['application/json', '', '*/*', 'application/x-www-form-urlencoded']);

/** The media type without its parameters, in lower case. */
export const mediaType = (request: IncomingMessage): string => (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();

/**
 * A body as the object it stands for: JSON, YAML or Kubernetes protobuf. An empty body is undefined.
 * @throws ApiError BadRequest, UnsupportedMediaType, RequestEntityTooLarge
 */
export function decodeBody(body: Buffer, type: string): unknown {
  if (body.length === 0) return undefined;
  if (type === 'application/vnd.kubernetes.protobuf') return decodeEnvelope(body);
  if (type === 'application/yaml' || type === 'application/vnd.kubernetes.yaml') return parseYaml(body.toString('utf8'));
  if (!jsonTypes.has(type)) {
    throw new ApiError(
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  }
  return parseJson(body.toString('utf8'));
}

function decodeEnvelope(body: Buffer): unknown {
  try {
    return decodeProtobuf(body);
  } catch (cause) {
    if (!(cause instanceof SchemaError)) throw cause;
    throw new ApiError(cause.code === 'UNSUPPORTED' ? 'UnsupportedMediaType' : 'BadRequest', cause.message, undefined, cause);
  }
}

function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badRequest(`the object provided is unrecognized: ${cause instanceof Error ? cause.message : 'it is no JSON'}`, cause);
  }
  checkDepth(value);
  return value;
}

function parseYaml(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true, merge: false, version: '1.1', schema: 'core' });
  const error = document.errors[0];
  if (error) throw badRequest(`error decoding YAML: ${error.message.split('\n')[0]}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw badRequest('error decoding YAML: too many aliases', cause);
  }
  checkDepth(value);
  return value;
}

/** Refuses what is nested deeper than any object of ours; without recursion, so that depth cannot break the check itself. */
function checkDepth(root: unknown): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxBodyDepth) throw badRequest(`the object is nested deeper than ${maxBodyDepth} levels`);
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
}

/** An apply is YAML, which most clients write as JSON: read as such it costs a fraction. */
function parseApply(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return parseYaml(text);
  }
  checkDepth(value);
  return value;
}

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** A PATCH body with the kind of patch that its media type says. */
export function decodePatch(body: Buffer, type: string): { type: PatchType; body: unknown } {
  const patchType = Object.hasOwn(patchTypes, type) ? patchTypes[type] : undefined;
  if (patchType === undefined) {
    throw new ApiError(
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${Object.keys(patchTypes).join(', ')}`,
    );
  }
  if (body.length === 0) throw badRequest('the body of a patch is empty');
  const text = body.toString('utf8');
  return { type: patchType, body: patchType === 'apply' ? parseApply(text) : parseJson(text) };
}
