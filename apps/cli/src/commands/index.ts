import type { CommandEntry } from './command-entry.ts';
import { jobCommandList } from './job-commands.ts';

/** Every command; each is loaded only when it is called, for a cold start counts. The summary is that of the command's file. */
export const commandList: readonly CommandEntry[] = [
  { name: 'up', summary: 'Start the rehearsal', load: async () => (await import('./up.ts')).command },
  { name: 'down', summary: 'Stop the rehearsal', load: async () => (await import('./down.ts')).command },
  { name: 'status', summary: 'Say what runs, and where', load: async () => (await import('./status.ts')).command },
  { name: 'login', summary: 'Become somebody', load: async () => (await import('./login.ts')).command },
  {
    name: 'service create',
    summary: 'Create a service with everything that it needs',
    load: async () => (await import('./service/create.ts')).command,
  },
  { name: 'service list', summary: 'List the services that you may see', load: async () => (await import('./service/list.ts')).command },
  { name: 'service show', summary: 'Show one service and what to do next', load: async () => (await import('./service/show.ts')).command },
  { name: 'check', summary: 'Check a repository, offline', load: async () => (await import('./check.ts')).command },
  { name: 'chart', summary: 'Work on Helm charts as Helm does, without Helm', load: async () => (await import('./chart.ts')).command },
  { name: 'delivery list', summary: 'List deliveries', load: async () => (await import('./delivery/list.ts')).command },
  { name: 'delivery show', summary: 'Show one delivery, stop by stop', load: async () => (await import('./delivery/show.ts')).command },
  { name: 'delivery watch', summary: 'Follow a delivery until it ends', load: async () => (await import('./delivery/watch.ts')).command },
  { name: 'delivery logs', summary: "Print a job's log", load: async () => (await import('./delivery/logs.ts')).command },
  { name: 'delivery play', summary: 'Start a manual job', load: async () => (await import('./delivery/play.ts')).command },
  { name: 'delivery retry', summary: 'Run failed jobs again', load: async () => (await import('./delivery/retry.ts')).command },
  { name: 'delivery cancel', summary: 'End a delivery', load: async () => (await import('./delivery/cancel.ts')).command },
  { name: 'gate show', summary: "Show the gate's verdicts on an image", load: async () => (await import('./gate/show.ts')).command },
  { name: 'gate judge', summary: 'Judge an image archive, offline', load: async () => (await import('./gate/judge.ts')).command },
  { name: 'release list', summary: 'List releases', load: async () => (await import('./release/list.ts')).command },
  { name: 'release show', summary: 'Show one release', load: async () => (await import('./release/show.ts')).command },
  { name: 'release export', summary: 'Write a release record to a file', load: async () => (await import('./release/export.ts')).command },
  { name: 'release verify', summary: 'Verify a release record, offline', load: async () => (await import('./release/verify.ts')).command },
  {
    name: 'secret put',
    summary: "Write a secret's values from standard input",
    load: async () => (await import('./secret/put.ts')).command,
  },
  { name: 'advisories import', summary: 'Import OSV records', load: async () => (await import('./advisories/import.ts')).command },
  {
    name: 'kubeconfig',
    summary: "Print your kubeconfig for an environment's cluster",
    load: async () => (await import('./kubeconfig.ts')).command,
  },
  {
    name: 'git-credential',
    summary: 'Answer Git with your login',
    hidden: true,
    load: async () => (await import('./git-credential.ts')).command,
  },
  ...jobCommandList,
];
