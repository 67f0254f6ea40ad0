import { cpus, totalmem } from 'node:os';

/** What the node has, and what of it pods may have: a tenth of the memory and 512 MiB are left to the platform itself. */
export function nodeResources(): { capacity: Record<string, string>; allocatable: Record<string, string> } {
  const memory = totalmem();
  const capacity = { cpu: String(cpus().length), memory: `${Math.floor(memory / 1024)}Ki`, pods: '110', 'ephemeral-storage': '20Gi' };
  const forPods = Math.max(memory * 0.9 - 512 * 1024 * 1024, memory * 0.5);
  return { capacity, allocatable: { ...capacity, memory: `${Math.floor(forPods / 1024)}Ki` } };
}
