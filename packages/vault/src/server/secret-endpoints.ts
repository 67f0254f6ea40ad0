import { invalidRequest, notFound, unsupportedOperation, VaultError } from '../errors.ts';
import type { KvMount } from '../kv.ts';
import { type Call, expectOperation, type Reply } from './core.ts';

const reply = (reading: { gone: boolean; data: NonNullable<Reply['data']> }): Reply => ({
  status: reading.gone ? 404 : 200,
  data: reading.data,
});
const done: Reply = { status: 204 };

/** True when the write would change something that exists: then the policy must grant `update`, else `create`. */
export function secretExists(kv: KvMount, rest: string): boolean {
  const [part = '', ...key] = rest.split('/');
  return part === 'data' || part === 'metadata' ? kv.exists(key.join('/')) : true;
}

/** Everything below a KV v2 mount; `rest` is the path after the mount. */
export function serveSecrets(kv: KvMount, call: Call, rest: string): Reply {
  const slash = rest.indexOf('/');
  const part = slash < 0 ? rest : rest.slice(0, slash);
  const key = slash < 0 ? '' : rest.slice(slash + 1);
  if (part === 'config' && key === '') return serveConfig(kv, call);
  if (part === 'metadata') return serveMetadata(kv, call, key);
  if (key === '' || key.endsWith('/')) {
    if (['data', 'delete', 'undelete', 'destroy'].includes(part)) throw unsupportedOperation();
    throw noHandler(call.path);
  }
  switch (part) {
    case 'data':
      return serveData(kv, call, key);
    case 'delete':
      expectOperation(call, 'write');
      kv.deleteVersions(key, call.body);
      return done;
    case 'undelete':
      expectOperation(call, 'write');
      kv.undeleteVersions(key, call.body);
      return done;
    case 'destroy':
      expectOperation(call, 'write');
      kv.destroyVersions(key, call.body);
      return done;
    default:
      throw noHandler(call.path);
  }
}

/** A path that names the key where KV v2 wants `data/KEY`: Vault's clients print this hint, so do we. */
const noHandler = (path: string) =>
  new VaultError(
    'NOT_FOUND',
    `no handler for route ${JSON.stringify(path.slice(0, 200))}. Invalid path for a versioned K/V secrets engine: use data/ or metadata/ after the mount.`,
  );

function serveConfig(kv: KvMount, call: Call): Reply {
  expectOperation(call, 'read', 'write');
  if (call.operation === 'read') return { data: kv.readConfig() };
  kv.writeConfig(call.body);
  return done;
}

function serveData(kv: KvMount, call: Call, key: string): Reply {
  switch (call.operation) {
    case 'read':
      return reply(kv.read(key, call.query.get('version') ?? undefined));
    case 'write':
      return { data: kv.write(key, call.body) };
    case 'patch':
      demandMergePatch(call);
      return reply(kv.patch(key, call.body));
    case 'delete':
      kv.deleteLatest(key);
      return done;
    default:
      throw unsupportedOperation();
  }
}

function serveMetadata(kv: KvMount, call: Call, key: string): Reply {
  if (call.operation === 'list') return { data: kv.list(key === '' ? '' : `${key.replace(/\/+$/, '')}/`) };
  if (key === '') throw unsupportedOperation();
  if (key.endsWith('/')) throw call.operation === 'read' ? notFound() : invalidRequest('invalid path');
  switch (call.operation) {
    case 'read':
      return { data: kv.readMetadata(key) };
    case 'write':
      kv.writeMetadata(key, call.body);
      return done;
    case 'patch':
      demandMergePatch(call);
      kv.writeMetadata(key, call.body, true);
      return done;
    default:
      kv.deleteMetadata(key);
      return done;
  }
}

function demandMergePatch(call: Call): void {
  if (call.contentType !== 'application/merge-patch+json') {
    throw new VaultError('UNSUPPORTED_MEDIA_TYPE', 'PATCH requires Content-Type of application/merge-patch+json');
  }
}
