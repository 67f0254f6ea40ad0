import { float, integer } from './flag-values.ts';
import type { FlagTable, ReadFlag } from './flags.ts';

const bool = { kind: 'bool' } as const;
const text = { kind: 'text' } as const;

const colour: ReadFlag = (value) =>
  ['never', 'auto', 'always'].includes(value)
    ? undefined
    : `invalid color mode ${JSON.stringify(value)}: must be one of: never, auto, always`;

/** Helm's flags of every command; those that speak to a cluster have no effect here. */
export const globalFlags: FlagTable = {
  'burst-limit': { kind: 'text', reads: integer },
  color: { kind: 'text', only: 'helm4', reads: colour },
  colour: { kind: 'text', only: 'helm4', reads: colour },
  'content-cache': { kind: 'text', only: 'helm4' },
  debug: bool,
  help: { kind: 'bool', short: 'h' },
  'kube-apiserver': text,
  'kube-as-group': { kind: 'texts' },
  'kube-as-user': text,
  'kube-ca-file': text,
  'kube-context': text,
  'kube-insecure-skip-tls-verify': bool,
  'kube-tls-server-name': text,
  'kube-token': text,
  kubeconfig: text,
  namespace: { kind: 'text', short: 'n' },
  qps: { kind: 'text', reads: float },
  'registry-config': text,
  'repository-cache': text,
  'repository-config': text,
};

/** Flags of values, as `lint` and `template` take them. */
export const valueFlags: FlagTable = {
  set: { kind: 'texts' },
  'set-file': { kind: 'texts' },
  'set-json': { kind: 'texts' },
  'set-literal': { kind: 'texts' },
  'set-string': { kind: 'texts' },
  values: { kind: 'list', short: 'f' },
};

/** How a server of charts is reached. `--password-stdin` is ours: a password among the arguments shows in the process list. */
export const connectionFlags: FlagTable = {
  'ca-file': text,
  'cert-file': text,
  'insecure-skip-tls-verify': bool,
  'key-file': text,
  password: text,
  'password-stdin': bool,
  'plain-http': bool,
  username: text,
};

/** Where a chart comes from, and whether its signature is looked at. */
export const chartSourceFlags: FlagTable = {
  ...connectionFlags,
  keyring: text,
  'pass-credentials': bool,
  repo: text,
  verify: bool,
  version: text,
};
