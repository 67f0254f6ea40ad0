import type { Condition } from '@desp/fleet';
import type { KubeObject } from '@desp/kube';
import { type NewCondition, withConditions } from '../conditions.ts';
import type { StoredBundleDeployment } from '../resources.ts';
import type { DeployOutcome } from './deploy.ts';
import type { Difference } from './drift.ts';
import type { ObservedReadiness } from './observe.ts';
import type { Release } from './release.ts';

type Status = NonNullable<StoredBundleDeployment['status']>;

/** Only so many objects are named: a status is read by people. */
const namedLimit = 10;

/** The status of a deployment whose release stands, from what was observed. Pure. */
export function statusOfDeployed(
  deployment: StoredBundleDeployment,
  release: Pick<Release, 'name' | 'namespace' | 'version' | 'rendered'>,
  observed: readonly ObservedReadiness[],
  drift: readonly Difference[],
  now: Date,
): Status {
  const open = observed.filter(({ state }) => state !== 'ready');
  const ready = open.length === 0;
  const nonModified = drift.length === 0;
  const state = !ready ? 'NotReady' : nonModified ? 'Ready' : 'Modified';
  const message = [
    ...open.slice(0, namedLimit).map(({ object, message: why }) => `${nameOf(object)}: ${why}`),
    ...(ready
      ? drift.slice(0, namedLimit).map(({ object, missing }) => `${nameOf(object)} ${missing ? 'is missing' : 'was modified'}`)
      : []),
  ].join('; ');
  return {
    appliedDeploymentID: deployment.spec.deploymentID,
    attemptedDeploymentID: deployment.spec.deploymentID,
    ...(release.rendered ? { rendered: release.rendered } : {}),
    release: `${release.namespace}/${release.name}:${release.version}`,
    ready,
    nonModified,
    ...(ready
      ? {}
      : {
          nonReadyStatus: open.slice(0, namedLimit).map(({ object, state: how, message: why }) => ({
            ...referenceOf(object),
            summary: { state: how === 'failed' ? 'error' : 'in-progress', message: [why] },
          })),
        }),
    ...(nonModified
      ? {}
      : {
          modifiedStatus: drift.slice(0, namedLimit).map(({ object, missing, patch }) => ({
            ...referenceOf(object),
            ...(missing ? { missing } : {}),
            ...(patch === undefined ? {} : { patch }),
          })),
        }),
    ...resourcesOf(observed),
    conditions: withConditions(
      deployment.status?.conditions,
      [
        { type: 'Installed', status: 'True' },
        { type: 'Deployed', status: 'True' },
        { type: 'Monitored', status: 'True' },
        { type: 'Ready', status: state === 'Ready' ? 'True' : 'False', message },
      ],
      now,
    ),
    display: { deployed: 'True', monitored: 'True', state },
  };
}

/** The status while a release is under way, or after it failed: what was deployed before is still what is applied. */
export function statusOfUndeployed(
  deployment: StoredBundleDeployment,
  outcome: Exclude<DeployOutcome, { kind: 'deployed' }>,
  now: Date,
): Status {
  const { kind } = outcome;
  const message = outcome.kind === 'failed' ? outcome.message : outcome.reason;
  const isInstalled = deployment.status?.appliedDeploymentID !== undefined;
  const changes: NewCondition[] = [
    { type: 'Installed', status: isInstalled ? 'True' : 'False', ...(isInstalled ? {} : { message }) },
    { type: 'Deployed', status: kind === 'failed' ? 'False' : 'Unknown', message },
    { type: 'Ready', status: 'False', message },
  ];
  return {
    ...deployment.status,
    attemptedDeploymentID: deployment.spec.deploymentID,
    conditions: withConditions(deployment.status?.conditions, changes, now),
    display: {
      deployed: kind === 'failed' ? message.slice(0, 200) : 'Unknown',
      monitored: '',
      state: kind === 'failed' ? 'ErrApplied' : 'WaitApplied',
    },
  };
}

export function withError(deployment: StoredBundleDeployment, message: string, now: Date): Status {
  const conditions: Condition[] = withConditions(
    deployment.status?.conditions,
    [
      { type: 'Deployed', status: 'Unknown', message },
      { type: 'Ready', status: 'False', message },
    ],
    now,
  );
  return { ...deployment.status, attemptedDeploymentID: deployment.spec.deploymentID, conditions };
}

function resourcesOf(observed: readonly ObservedReadiness[]): object {
  return {
    resources: observed.map(({ object, live }) => ({
      ...referenceOf(object),
      ...(live?.metadata.creationTimestamp ? { createdAt: live.metadata.creationTimestamp } : {}),
    })),
  };
}

const referenceOf = ({ apiVersion, kind, metadata }: KubeObject) => ({
  apiVersion,
  kind,
  ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
  name: metadata.name,
});

const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`;
