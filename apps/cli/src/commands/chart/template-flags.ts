import { duration, formerWait, pairs, wait } from './flag-values.ts';
import type { FlagDefinition, FlagTable } from './flags.ts';
import { chartSourceFlags, globalFlags, valueFlags } from './global-flags.ts';

const bool = { kind: 'bool' } as const;
const text = { kind: 'text' } as const;
const texts = { kind: 'texts' } as const;
const newBool = { kind: 'bool', only: 'helm4' } as const;

/** A flag that Helm 4 hides, and says so when it is given. */
const former = (name: string, why: string): FlagDefinition => ({
  kind: 'bool',
  says: (_value, helm) => (helm === 'helm4' ? `Flag --${name} has been deprecated, ${why}` : undefined),
});

/** All flags of `helm template`: Helm's own table. Helm 4 still takes those that it hides. */
export const templateFlags: FlagTable = {
  ...globalFlags,
  ...valueFlags,
  ...chartSourceFlags,
  'api-versions': { kind: 'list', short: 'a' },
  atomic: former('atomic', 'use --rollback-on-failure instead'),
  'create-namespace': bool,
  'dependency-update': bool,
  description: text,
  devel: bool,
  'disable-openapi-validation': bool,
  'dry-run': { kind: 'text', alone: 'unset' },
  'enable-dns': bool,
  force: former('force', 'use --force-replace instead'),
  'force-conflicts': newBool,
  'force-replace': newBool,
  'generate-name': { kind: 'bool', short: 'g' },
  'hide-notes': former('hide-notes', "this flag has no effect for 'helm template' and will be removed in Helm 5"),
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
  validate: former('validate', "use '--dry-run=server' instead"),
  wait: { kind: 'text', alone: 'watcher', reads: wait, says: formerWait },
  'wait-for-jobs': bool,
};

/** Ours, beside Helm's. */
export const ownTemplateFlags: FlagTable = { hints: bool, json: bool, 'keep-going': bool };

/** What needs a cluster or a network of the chart's choice: refused by name instead of ignored. */
export const refusedFlags: Readonly<Record<string, string>> = {
  'enable-dns': 'names are not looked up while rendering',
  validate: 'it needs a cluster; pipe the output into kubectl apply --dry-run=server',
};
