import { duration, pairs, wait } from './flag-values.ts';
import type { FlagTable } from './flags.ts';
import { chartSourceFlags, globalFlags, valueFlags } from './global-flags.ts';

const bool = { kind: 'bool' } as const;
const text = { kind: 'text' } as const;
const texts = { kind: 'texts' } as const;
const newBool = { kind: 'bool', only: 'helm4' } as const;

/** All flags of `helm template`: Helm's own table. Helm 4 still takes those that it hides. */
export const templateFlags: FlagTable = {
  ...globalFlags,
  ...valueFlags,
  ...chartSourceFlags,
  'api-versions': { kind: 'list', short: 'a' },
  atomic: bool,
  'create-namespace': bool,
  'dependency-update': bool,
  description: text,
  devel: bool,
  'disable-openapi-validation': bool,
  'dry-run': { kind: 'text', alone: 'unset' },
  'enable-dns': bool,
  force: bool,
  'force-conflicts': newBool,
  'force-replace': newBool,
  'generate-name': { kind: 'bool', short: 'g' },
  'hide-notes': bool,
  'include-crds': bool,
  'is-upgrade': bool,
  'kube-version': text,
  labels: { kind: 'list', short: 'l', reads: pairs },
  'name-template': text,
  'no-hooks': bool,
  'output-dir': text,
  'post-renderer': text,
  'post-renderer-args': texts,
  'release-name': bool,
  'render-subchart-notes': bool,
  replace: bool,
  'rollback-on-failure': newBool,
  'server-side': newBool,
  'show-only': { kind: 'texts', short: 's' },
  'skip-crds': bool,
  'skip-schema-validation': bool,
  'skip-tests': bool,
  'take-ownership': bool,
  timeout: { kind: 'text', reads: duration },
  validate: bool,
  wait: { kind: 'text', alone: 'watcher', reads: wait },
  'wait-for-jobs': bool,
};

/** Ours, beside Helm's. */
export const ownTemplateFlags: FlagTable = { hints: bool, json: bool, 'keep-going': bool };

/** What needs a cluster or a network of the chart's choice: refused by name instead of ignored. */
export const refusedFlags: Readonly<Record<string, string>> = {
  'enable-dns': 'names are not looked up while rendering',
  validate: 'it needs a cluster; pipe the output into kubectl apply --dry-run=server',
};
