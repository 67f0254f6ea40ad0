import { readdir } from 'node:fs/promises';
import { run, runOk } from '@desp/runtime';
import { contains } from './subnet.ts';

/** Addresses of Services on this machine's loopback device, so that pods and processes reach them alike. */
export interface LocalAddresses {
  add(address: string): Promise<void>;
  remove(address: string): Promise<void>;
  /** Removes every address of the network, also those that a killed process left. */
  clear(): Promise<void>;
}

/** Only addresses of `network` are ever added or removed. */
export function createLocalAddresses(network: string): LocalAddresses {
  const here = new Set<string>();
  return {
    async add(address) {
      if (here.has(address) || !contains(network, address)) return;
      // `replace` is content with an address that is there already.
      await runOk(['ip', 'address', 'replace', `${address}/32`, 'dev', 'lo', 'scope', 'host']);
      here.add(address);
    },
    async remove(address) {
      if (!contains(network, address)) return;
      here.delete(address);
      await run(['ip', 'address', 'delete', `${address}/32`, 'dev', 'lo']);
    },
    async clear() {
      here.clear();
      const { stdout } = await run(['ip', '-oneline', '-4', 'address', 'show', 'dev', 'lo']);
      for (const [, address] of stdout.toString('utf8').matchAll(/inet (\d+\.\d+\.\d+\.\d+)\/32/g)) {
        if (contains(network, address!)) await run(['ip', 'address', 'delete', `${address}/32`, 'dev', 'lo']);
      }
    },
  };
}

/** For a machine where we may not change addresses: Services then have no address that answers. */
export const noLocalAddresses: LocalAddresses = { add: async () => {}, remove: async () => {}, clear: async () => {} };

/** True when this process may change network addresses, which takes root and a loopback device. */
export async function mayChangeAddresses(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const devices: string[] = await readdir('/sys/class/net').catch(() => []);
  return devices.includes('lo');
}
