import { matchesSelector } from '@desp/model';
import type { Bundle, BundleDeployment, BundleState, Condition, Dependency, Summary } from './types.ts';
import { bundleStates } from './types.ts';

/** State and reason of one deployment: the first that holds (reference §3). No deployment yet: Pending. */
export function deploymentState(deployment: BundleDeployment | undefined): { readonly state: BundleState; readonly message: string } {
  if (!deployment) return { state: 'Pending', message: '' };
  const { spec, status = {} } = deployment;
  if (status.appliedDeploymentID !== spec.deploymentID) {
    const deployed = conditionOf(status.conditions, 'Deployed');
    // A failure of what was deployed before says nothing of this.
    const speaksOfThis = (status.attemptedDeploymentID ?? spec.deploymentID) === spec.deploymentID;
    if (speaksOfThis && deployed?.status === 'False') return { state: 'ErrApplied', message: deployed.message ?? '' };
    return { state: 'WaitApplied', message: '' };
  }
  if (!status.ready) return { state: 'NotReady', message: notReadyMessage(deployment) };
  if (spec.deploymentID !== spec.stagedDeploymentID) return { state: 'OutOfSync', message: '' };
  if (!status.nonModified) return { state: 'Modified', message: modifiedMessage(deployment) };
  return { state: 'Ready', message: '' };
}

const counters = {
  ErrApplied: 'errApplied',
  WaitApplied: 'waitApplied',
  Modified: 'modified',
  OutOfSync: 'outOfSync',
  Pending: 'pending',
  NotReady: 'notReady',
  Ready: 'ready',
} as const;

export interface StateSummary {
  readonly summary: Summary;
  /** The worst state; Ready when all are. */
  readonly state: BundleState;
  /** Of the condition Ready: what is wrong where, worst first; empty when nothing is. */
  readonly message: string;
  /** `ready/desired`, as kubectl shows it. */
  readonly display: string;
  readonly ready: Condition;
}

/** At most this many deployments are named in a summary, as in Fleet. */
const namedLimit = 10;

/** Sums up deployments of one bundle (or of one repository): counts, the worst state, and Fleet's message. */
export function summarizeState(
  deployments: readonly { readonly name: string; readonly deployment: BundleDeployment | undefined }[],
): StateSummary {
  const counts: Partial<Record<(typeof counters)[BundleState], number>> = {};
  const states = deployments.map(({ name, deployment }) => ({ name, ...deploymentState(deployment) }));
  for (const { state } of states) counts[counters[state]] = (counts[counters[state]] ?? 0) + 1;
  const bad = states.filter(({ state }) => state !== 'Ready').sort((a, b) => rank(a.state) - rank(b.state) || (a.name < b.name ? -1 : 1));
  const named = bad.slice(0, namedLimit).map(({ name, state, message }) => ({ name, bundleState: state, ...(message ? { message } : {}) }));
  const ready = counts.ready ?? 0;
  const message = messageOfStates(bad);
  return {
    summary: { desiredReady: deployments.length, ...counts, ready, ...(named.length > 0 ? { nonReadyResources: named } : {}) },
    state: bad[0]?.state ?? 'Ready',
    message,
    display: `${ready}/${deployments.length}`,
    ready: { type: 'Ready', status: bad.length === 0 ? 'True' : 'False', ...(message ? { message } : {}) },
  };
}

/** `NotReady(1) [Cluster fleet-default/e2e]; ErrApplied(2) [...]`, as Fleet writes it. */
function messageOfStates(bad: readonly { name: string; state: BundleState; message: string }[]): string {
  return bundleStates
    .flatMap((state) => {
      const [first, ...rest] = bad.filter((each) => each.state === state);
      if (!first) return [];
      const reason = first.message ? `: ${first.message}` : '';
      return [`${state}(${rest.length + 1}) [${first.name}${reason}]`];
    })
    .join('; ');
}

const rank = (state: BundleState): number => bundleStates.indexOf(state);

const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);

function notReadyMessage({ status }: BundleDeployment): string {
  return (status?.nonReadyStatus ?? [])
    .slice(0, namedLimit)
    .map(
      (object) =>
        `${kindName(object)} [${object.summary?.state ?? 'not ready'}]${object.summary?.message?.length ? ` ${object.summary.message.join(', ')}` : ''}`,
    )
    .join('; ');
}

function modifiedMessage({ status }: BundleDeployment): string {
  return (status?.modifiedStatus ?? [])
    .slice(0, namedLimit)
    .map(
      (object) => `${kindName(object)} ${object.missing ? 'missing' : object.delete ? 'extra' : `modified ${object.patch ?? ''}`.trim()}`,
    )
    .join('; ');
}

function kindName(object: { apiVersion?: string; kind: string; namespace?: string; name: string }): string {
  const group = object.apiVersion?.includes('/') ? `.${object.apiVersion.slice(0, object.apiVersion.indexOf('/'))}` : '';
  return `${object.kind.toLowerCase()}${group}.${object.apiVersion?.split('/').at(-1) ?? 'v1'} ${object.namespace ? `${object.namespace}/` : ''}${object.name}`;
}

/** What a deployment still waits for; empty when all its dependencies are in an accepted state. */
export function unmetDependencies(
  dependsOn: readonly Dependency[],
  bundles: readonly { readonly bundle: Bundle; readonly state: BundleState }[],
): string[] {
  return dependsOn.flatMap(({ name, selector, acceptedStates = ['Ready'] }) => {
    const matching = bundles.filter(
      ({ bundle }) =>
        (name !== undefined && bundle.metadata.name === name) ||
        (selector !== undefined && matchesSelector(selector, bundle.metadata.labels ?? {})),
    );
    if (matching.length === 0) return [`no bundle ${name ?? 'matching the selector'} on this cluster`];
    return matching.flatMap(({ bundle, state }) => (acceptedStates.includes(state) ? [] : [`${bundle.metadata.name} is ${state}`]));
  });
}
