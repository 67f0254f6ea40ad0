import { reviewResources } from '../api/auth/reviews.ts';
import { eventLifetimeMs } from '../api/event-expiry.ts';
import { maxBodyBytes, maxBodyDepth } from '../api/http/body.ts';
import { unserved } from '../api/http/pod-handler.ts';
import { longestWarning, mostWarnings } from '../api/http/write-request.ts';
import { builtinResources } from '../api/resources/builtin.ts';
import { apiVersionOf, type Resource } from '../api/resources/resource.ts';
import { parseServiceNetwork } from '../api/resources/services.ts';
import { logBytes, maxProcesses } from '../node/container-config.ts';
import { hookMs, restartBackOff } from '../node/pod-sync.ts';
import { memoryVolumeBytes } from '../node/volumes.ts';
import { keptTerminated } from '../workloads/pod-collector.ts';
import { clusterTable } from './cluster-table.ts';
import { kindsTable } from './kinds-table.ts';
import { networkTable } from './network-table.ts';
import { podTable } from './pod-table.ts';
import { storageTable } from './storage-table.ts';
import type { Ignored, KindTreatment, StructTable } from './treatment.ts';
import { workloadTable } from './workload-table.ts';

/** What the cluster serves and does, for the docs: from the tables that raise the warnings and route the requests. */
export interface ClusterSupport {
  readonly kinds: readonly SupportedKind[];
  readonly structures: readonly { readonly title: string; readonly structures: readonly SupportedStructure[] }[];
  readonly limits: readonly { readonly what: string; readonly limit: string }[];
}

export interface SupportedKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** With the group, unless it is the core's: `deployments.apps`, `pods`. */
  readonly resource: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
  readonly treatment: KindTreatment;
}

/** A structure of the schema: which of its fields have an effect. */
export interface SupportedStructure {
  readonly name: string;
  readonly acts: readonly string[];
  readonly inert: readonly string[];
  readonly exceptions: readonly {
    readonly field: string;
    /** Which values; empty for all. */
    readonly values: string;
    readonly what: 'warned' | 'refused by the server' | 'refused by the node' | 'refused by the controller';
    readonly reason: string;
  }[];
}

/** Describes the embedded cluster; pure. */
export function describeSupport(): ClusterSupport {
  const resources = [...builtinResources(parseServiceNetwork('10.96.0.0/16')!, {}), ...reviewResources];
  return {
    kinds: resources.map(kindOf),
    structures: [
      { title: 'Pods and pod templates', structures: structuresOf(podTable) },
      { title: 'Deployments, ReplicaSets, Jobs', structures: structuresOf(workloadTable) },
      { title: 'Services and Ingresses', structures: structuresOf(networkTable) },
      { title: 'Claims, volumes, classes', structures: structuresOf(storageTable) },
      { title: 'Nodes, namespaces, configuration, rights, definitions', structures: structuresOf(clusterTable) },
    ],
    limits: limits(),
  };
}

function kindOf(resource: Resource): SupportedKind {
  const { kind, plural, group, shortNames, namespaced, verbs, status, scale, subresources, storage } = resource;
  return {
    apiVersion: apiVersionOf(resource),
    kind,
    resource: group === '' ? plural : `${plural}.${group}`,
    shortNames,
    namespaced,
    verbs,
    subresources: [
      ...(status ? ['status'] : []),
      ...(scale ? ['scale'] : []),
      ...subresources.map(({ name }) => name).filter((name) => plural !== 'pods' || !unserved.includes(name)),
    ],
    treatment: kindsTable[storage] ?? { level: 'acts', by: 'the server answers it' },
  };
}

function structuresOf(table: StructTable): SupportedStructure[] {
  // That a kind has a spec is no news.
  const telling = Object.entries(table).filter(([, { acts }]) => acts?.join() !== 'spec');
  return telling.map(([name, { acts = [], inert = [], ignored = {}, refused = {} }]) => ({
    name,
    acts,
    inert,
    exceptions: [
      ...Object.entries(ignored).map(([field, rule]) => ({ field, ...exceptionOf(rule) })),
      ...Object.entries(refused).map(([field, { reason, by }]) => ({ field, values: '', what: `refused by the ${by}` as const, reason })),
    ],
  }));
}

function exceptionOf(rule: Ignored): { values: string; what: 'warned'; reason: string } {
  if (typeof rule === 'string') return { values: '', what: 'warned', reason: rule };
  const { only, except, keys, when, reason } = rule;
  const list = (values: readonly unknown[]) => values.map((value) => `\`${String(value)}\``).join(', ');
  const values = only
    ? list(only)
    : except
      ? `other than ${list(except)}`
      : keys
        ? `keys other than ${list(keys)}`
        : when
          ? when.words
          : '';
  return { values, what: 'warned', reason };
}

function limits(): ClusterSupport['limits'] {
  const mebibytes = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
  return [
    { what: 'body of a request', limit: `${mebibytes(maxBodyBytes)}, ${maxBodyDepth} levels` },
    { what: 'warnings of an answer', limit: `${mostWarnings} characters, ${longestWarning} each` },
    { what: 'events', limit: `kept for ${eventLifetimeMs / 60_000} minutes` },
    { what: 'ended pods without an owner', limit: `the last ${keptTerminated} are kept` },
    { what: 'processes of a container', limit: String(maxProcesses) },
    { what: 'log of a container', limit: mebibytes(logBytes) },
    { what: '`emptyDir` in memory without `sizeLimit`', limit: mebibytes(memoryVolumeBytes) },
    { what: 'hook after the start', limit: `${hookMs / 1000} s` },
    {
      what: 'wait before a container starts again',
      limit: `${restartBackOff.baseMs / 1000} s, doubling up to ${restartBackOff.mostMs / 1000} s`,
    },
    { what: 'nodes', limit: '1' },
  ];
}
