import type { AppliedManifests, EntryOf } from './entries.ts';

type Recorded = Pick<EntryOf<'manifests'>['body'], 'chart' | 'digest' | 'rendered'>;

/**
 * Why what a cluster says that it applied is not what the record hashes, in sentences for people; undefined when each release
 * was applied as it stands in the record, and only then. A cluster that does not say is not taken for equal. Pure.
 */
export function compareApplied(recorded: readonly Recorded[], applied: readonly AppliedManifests[] | undefined): string | undefined {
  if (!applied) return 'The cluster does not say what it applied: whether it is what this record hashes is not known.';
  const reasons: string[] = [];
  const open = new Set(recorded);
  for (const one of applied) {
    const same = [...open].find((entry) => entry.digest === one.digest);
    const entry = same ?? recorded.find(({ rendered }) => rendered?.release === one.release);
    if (entry) open.delete(entry);
    if (!same) reasons.push(`${one.release} was applied as ${one.digest}, not as recorded: ${whyDifferent(entry, one)}.`);
  }
  for (const { chart, digest } of open) reasons.push(`The manifests ${digest} of ${chart} were not applied.`);
  return reasons.length > 0 ? reasons.join(' ').slice(0, 2000) : undefined;
}

function whyDifferent(entry: Recorded | undefined, applied: AppliedManifests): string {
  if (!entry) return 'the record has no such release';
  const { rendered } = entry;
  if (!rendered) return 'the record does not say with what it was rendered';
  const say = ({ operation, revision, kubeVersion }: Omit<AppliedManifests, 'digest' | 'release'>) =>
    `an ${operation} at revision ${revision} on Kubernetes ${kubeVersion}`;
  const [then, now] = [say(rendered), say(applied)];
  return then === now
    ? 'with the same inputs the chart gave something else (a random or time function, or values that lie in the cluster)'
    : `the record's are of ${then}, the cluster's of ${now}`;
}
