import { readdir } from 'node:fs/promises';
import { run, runOk } from '@desp/runtime';

/**
 * A network whose every address is this machine's own, so that pods and processes reach Services alike: one local route to the
 * loopback device (ip-route(8), type `local`). An address of no Service refuses; without the route it would leave the machine.
 *
 * Rejected: an address on the loopback device for each Service. Each costs a process when it comes and another when it goes, and a
 * killed platform leaves them all.
 */
export interface LocalNetwork {
  /** Also where a killed process left it. */
  claim(): Promise<void>;
  release(): Promise<void>;
}

/** @param subnet such as `10.96.0.0/24` */
export function createLocalNetwork(subnet: string): LocalNetwork {
  return {
    claim: async () => void (await runOk(['ip', 'route', 'replace', 'local', subnet, 'dev', 'lo'])),
    // What is gone already is well.
    release: async () => void (await run(['ip', 'route', 'delete', 'local', subnet, 'dev', 'lo'])),
  };
}

/** True when this process may change the machine's network, which takes root and a loopback device. */
export async function mayChangeNetwork(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const devices: string[] = await readdir('/sys/class/net').catch(() => []);
  return devices.includes('lo');
}
