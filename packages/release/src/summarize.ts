import { unreachable } from '@desp/runtime/errors';
import type { Entry, ReleaseRecord } from './entries.ts';
import { verdictIn } from './verdict-in.ts';

/** A record as lines for people: when, who, what. The record should have been verified before. */
export interface SummaryLine {
  readonly at: string;
  readonly who: string;
  readonly what: string;
  readonly details: readonly string[];
}

export function summarizeRecord(record: ReleaseRecord): SummaryLine[] {
  return record.entries.map((entry) => ({ at: entry.at, who: entry.who, ...sentence(entry) }));
}

function sentence(entry: Entry): Pick<SummaryLine, 'what' | 'details'> {
  switch (entry.kind) {
    case 'created': {
      const { service, version, commit, templates } = entry.body;
      return {
        what: `Release ${version} of ${service} from commit ${commit.slice(0, 12)}`,
        details: templates ? [`pipeline templates ${templates.project} at ${templates.commit.slice(0, 12)}`] : [],
      };
    }
    case 'image': {
      const { name, tag, digest, environment } = entry.body;
      const verdict = verdictIn(entry.body.verdict);
      return {
        what: `Image ${name}:${tag}@${digest} judged "${verdict?.outcome ?? 'unreadable'}" for ${environment}`,
        details: verdict
          ? [
              ...verdict.reasons,
              ...verdict.advisories.databases.map(
                (database) => `advisories: ${database.name} of ${database.date.slice(0, 10)}, ${database.records} records`,
              ),
              ...verdict.notAssessed.map((item) => `not assessed: ${item.what} (${item.why})`),
            ]
          : [],
      };
    }
    case 'source-findings': {
      const { files, findings, notAssessed } = entry.body;
      return {
        what: `Source looked through: ${files} files, ${findings.length} secrets found`,
        details: [
          ...findings.map((finding) => `${finding.location}: ${finding.what} (${finding.rule})`),
          ...notAssessed.map((item) => `not assessed: ${item.what} (${item.why})`),
        ],
      };
    }
    case 'manifests': {
      const { chart, chartVersion, environment, namespace, objects, images, digest, rendered } = entry.body;
      return {
        what: `Chart ${chart} ${chartVersion} rendered for ${environment}: ${objects.length} objects in ${namespace}, ${digest}`,
        details: [
          ...(rendered ? [`as an ${rendered.operation} at revision ${rendered.revision} on Kubernetes ${rendered.kubeVersion}`] : []),
          ...images.map((image) => `runs ${image.name}@${image.digest}`),
        ],
      };
    }
    case 'deployment': {
      const { environment, outcome, reason, applied, unequal } = entry.body;
      return {
        what: `Deployment to ${environment} ${outcome}`,
        details: [
          reason,
          ...(applied ?? []).map((one) => `applied ${one.digest}: ${one.release}, ${one.operation} at revision ${one.revision}`),
          ...(unequal ? [unequal] : []),
        ],
      };
    }
    default:
      return unreachable(entry);
  }
}
