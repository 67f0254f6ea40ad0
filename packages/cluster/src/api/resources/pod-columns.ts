import { type ApiObject, at, listAt, numberAt, textAt } from '../object.ts';
import { ageColumn, ageSince, nameColumn, shown, wide } from './cells.ts';
import type { Column } from './resource.ts';

interface PodSummary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

/** READY, STATUS and RESTARTS of a pod by the rules that the real server prints them with. */
export function summarizePod(pod: ApiObject, now: Date): PodSummary {
  const containers = listAt(pod, 'spec', 'containers').length;
  let status = textAt(pod, 'status', 'reason') || textAt(pod, 'status', 'phase') || 'Unknown';
  let restarts = 0;
  let lastRestart: string | undefined;
  const count = (container: unknown) => {
    restarts += numberAt(container, 'restartCount') ?? 0;
    const finished = textAt(container, 'lastState', 'terminated', 'finishedAt');
    if (finished !== undefined && (lastRestart === undefined || finished > lastRestart)) lastRestart = finished;
  };
  const initSpecs = listAt(pod, 'spec', 'initContainers');
  const initStatuses = listAt(pod, 'status', 'initContainerStatuses');
  let initializing = false;
  for (const [index, container] of initStatuses.entries()) {
    count(container);
    const terminated = at(container, 'state', 'terminated');
    if (terminated !== undefined && numberAt(terminated, 'exitCode') === 0) continue;
    const waiting = textAt(container, 'state', 'waiting', 'reason');
    if (terminated !== undefined) status = `Init:${endReason(terminated)}`;
    else if (waiting && waiting !== 'PodInitializing') status = `Init:${waiting}`;
    else status = `Init:${index}/${initSpecs.length}`;
    initializing = true;
    break;
  }
  let ready = 0;
  if (!initializing) {
    restarts = 0;
    let running = false;
    for (const container of [...listAt(pod, 'status', 'containerStatuses')].reverse()) {
      count(container);
      const waiting = textAt(container, 'state', 'waiting', 'reason');
      const terminated = at(container, 'state', 'terminated');
      if (waiting) status = waiting;
      else if (terminated !== undefined) status = endReason(terminated);
      else if (at(container, 'ready') === true && at(container, 'state', 'running') !== undefined) {
        running = true;
        ready += 1;
      }
    }
    if (status === 'Completed' && running) status = isReady(pod) ? 'Running' : 'NotReady';
  }
  if (pod.metadata.deletionTimestamp !== undefined) status = textAt(pod, 'status', 'reason') === 'NodeLost' ? 'Unknown' : 'Terminating';
  const since = restarts > 0 && lastRestart !== undefined ? ` (${ageSince(lastRestart, now)} ago)` : '';
  return { ready: `${ready}/${containers}`, status, restarts: `${restarts}${since}` };
}

const isReady = (pod: ApiObject): boolean =>
  listAt(pod, 'status', 'conditions').some((condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True');

function endReason(terminated: unknown): string {
  const reason = textAt(terminated, 'reason');
  if (reason) return reason;
  const signal = numberAt(terminated, 'signal');
  return signal ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, 'exitCode') ?? 0}`;
}

const gates = (pod: ApiObject): string => {
  const wanted = listAt(pod, 'spec', 'readinessGates').map((gate) => textAt(gate, 'conditionType'));
  if (wanted.length === 0) return '<none>';
  const met = listAt(pod, 'status', 'conditions').filter(
    (condition) => wanted.includes(textAt(condition, 'type')) && textAt(condition, 'status') === 'True',
  );
  return `${met.length}/${wanted.length}`;
};

export const podColumns: readonly Column[] = [
  nameColumn,
  shown('Ready', (pod, now) => summarizePod(pod, now).ready),
  shown('Status', (pod, now) => summarizePod(pod, now).status),
  shown('Restarts', (pod, now) => summarizePod(pod, now).restarts),
  ageColumn,
  wide('IP', (pod) => textAt(pod, 'status', 'podIP') || '<none>'),
  wide('Node', (pod) => textAt(pod, 'spec', 'nodeName') || '<none>'),
  wide('Nominated Node', (pod) => textAt(pod, 'status', 'nominatedNodeName') || '<none>'),
  wide('Readiness Gates', gates),
];
