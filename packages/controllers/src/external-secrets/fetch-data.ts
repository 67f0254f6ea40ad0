import { messageOf } from '@desp/runtime';
import type { Json, JsonObject } from '@desp/vault';
import { ControllerError } from '../controller-error.ts';
import { bytesOf, goJson, isJsonObject, propertyOf } from './json-property.ts';
import type { ExternalSecretSpec, RemoteReference, StoreReference } from './schema.ts';
import { checkKeys, convertKeys, decodeMap, decodeValue } from './strategies.ts';

/** Reads a key of the store that a reference names. Undefined: nothing is there. */
export type ReadRemote = (store: StoreReference | undefined, remote: RemoteReference) => Promise<JsonObject | undefined>;

/** Most bytes that a Secret can hold. */
const maxBytes = 1024 * 1024;

/**
 * All entries of `dataFrom` in order, later ones overwriting, then `data`.
 *
 * @throws ControllerError whose message is the event's: which entry failed, and why
 */
export async function fetchData(spec: ExternalSecretSpec, read: ReadRemote): Promise<Map<string, Uint8Array>> {
  const data = new Map<string, Uint8Array>();
  for (const [index, source] of spec.dataFrom.entries()) {
    const kind = source.extract ? 'extract' : source.find === undefined ? 'sourceRef' : 'find';
    await naming(`spec.dataFrom[${index}].${kind}`, async () => {
      if (source.extract === undefined || source.sourceRef?.generatorRef !== undefined) throw unsupported(kind);
      if (source.rewrite.length > 0) throw unsupported('rewrite');
      for (const [key, value] of await extract(source.extract, source.sourceRef?.storeRef, read)) data.set(key, value);
    });
  }
  for (const [index, { secretKey, remoteRef, sourceRef }] of spec.data.entries()) {
    await naming(`spec.data[${index}] (key: ${remoteRef.key})`, async () => {
      data.set(secretKey, decodeValue(bytesOf(await readValue(remoteRef, sourceRef?.storeRef, read)), remoteRef.decodingStrategy));
      checkKeys(new Map([[secretKey, new Uint8Array()]]));
    });
  }
  let total = 0;
  for (const value of data.values()) total += value.length;
  if (total > maxBytes)
    throw new ControllerError('INVALID', `the data are larger than a Secret may be (${maxBytes} bytes)`, { kind: 'user' });
  return data;
}

async function extract(remote: RemoteReference, store: StoreReference | undefined, read: ReadRemote): Promise<Map<string, Uint8Array>> {
  const found =
    remote.property === undefined ? await readAll(remote, store, read) : objectOf(await readValue(remote, store, read), remote.property);
  const data = convertKeys(new Map(Object.entries(found).map(([key, value]) => [key, bytesOf(value)])), remote.conversionStrategy);
  checkKeys(data);
  return decodeMap(data, remote.decodingStrategy);
}

async function readAll(remote: RemoteReference, store: StoreReference | undefined, read: ReadRemote): Promise<JsonObject> {
  if (remote.metadataPolicy === 'Fetch') throw unsupported('metadataPolicy: Fetch');
  const found = await read(store, remote);
  if (found === undefined) throw new ControllerError('NOT_FOUND', 'Secret does not exist', { kind: 'user' });
  return found;
}

async function readValue(remote: RemoteReference, store: StoreReference | undefined, read: ReadRemote): Promise<Json> {
  const found = await readAll(remote, store, read);
  if (remote.property === undefined) return goJson(found);
  const value = propertyOf(found, remote.property);
  if (value === undefined)
    throw new ControllerError('NOT_FOUND', `cannot find secret data for key: "${remote.property}"`, { kind: 'user' });
  return value;
}

/** A property that is itself a map, or the JSON text of one. */
function objectOf(value: Json, property: string): JsonObject {
  let parsed: Json | undefined = value;
  if (typeof value === 'string') {
    try {
      parsed = JSON.parse(value) as Json;
    } catch {
      parsed = undefined;
    }
  }
  if (isJsonObject(parsed)) return parsed;
  throw new ControllerError('INVALID', `the property "${property}" is no JSON object`, { kind: 'user' });
}

async function naming(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    throw new ControllerError(error.code, `error processing ${what}, err: ${messageOf(error)}`, {
      kind: error.kind,
      retryable: error.retryable,
      cause: error,
    });
  }
}

const unsupported = (what: string): ControllerError =>
  new ControllerError('NOT_SUPPORTED', `${what} is not supported by this rehearsal`, { kind: 'user', cure: 'Use extract or data.' });
