import type { CommandEntry } from './command-entry.ts';

/** The verbs of a pipeline's job. */
export const jobCommandList: readonly CommandEntry[] = [
  { name: 'job build', summary: "Build this job's image", hidden: true, load: async () => (await import('./job/build.ts')).command },
  { name: 'job release', summary: "Release this job's images", hidden: true, load: async () => (await import('./job/release.ts')).command },
];
