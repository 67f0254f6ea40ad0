import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry, openRegistryStore } from '@desp/oci';

/** The platform's own registry on loopback, with one project and one user. */
export async function startRegistry() {
  const folder = mkdtempSync(join(tmpdir(), 'chart-registry-'));
  const store = await openRegistryStore({ folder });
  const registry = await createRegistry({
    name: 'charts',
    store,
    authenticate: (username, password) =>
      username === 'alice' && password === 'alice-password' ? { kind: 'person', name: 'alice' } : undefined,
    authorize: () => true,
  });
  await registry.ensureProject('charts', { tags: 'mutable' });
  const { url } = await registry.listen({ port: 0 });
  return {
    host: new URL(url).host,
    stop: async () => {
      await registry.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
