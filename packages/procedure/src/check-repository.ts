import { checks } from './checks/index.ts';
import type { Finding, Report } from './report.ts';
import { type EvidenceKind, type Requirement, requirements } from './requirements/requirements.ts';
import { prepareSubject, type Subject, type SubjectInput } from './subject.ts';

/**
 * Runs every check on the files of a repository, without server, network or cluster. What no check decides is listed with the
 * reason, so that a clean report cannot be mistaken for a service that meets everything.
 */
export async function checkRepository(input: SubjectInput): Promise<Report> {
  const subject = await prepareSubject(input);
  const unable = new Map<string, string>();
  const findings: Finding[] = [];
  const checked: string[] = [];
  for (const check of checks) {
    const why = check.unable?.(subject);
    if (why !== undefined) {
      for (const id of check.requirements) unable.set(id, why);
      continue;
    }
    checked.push(check.id);
    for (const found of check.run(subject)) findings.push({ check: check.id, requirements: check.requirements, ...found });
  }
  return {
    profile: subject.profile.name,
    environments: subject.environments.map(({ name }) => name),
    ok: findings.every(({ severity }) => severity !== 'error'),
    findings: distinct(findings).sort(byWeight),
    checked,
    notJudged: requirementStatus().flatMap(({ id, text, evidence, status }) => {
      const why = unable.get(id) ?? (status === 'checked' ? undefined : reasons[evidence]);
      return why === undefined ? [] : [{ requirement: id, text, why }];
    }),
    ...(subject.pipeline?.ok
      ? {
          pipeline: {
            stages: subject.pipeline.plan.stages,
            jobs: subject.pipeline.plan.jobs.map(({ name, stage, when }) => ({ name, stage, when })),
          },
        }
      : {}),
    rendered: renderedOf(subject),
  };
}

/** Every requirement and whether a check decides it on a repository. */
export function requirementStatus(): (Requirement & { readonly status: 'checked' | 'not judged yet' })[] {
  const decided = new Set(checks.flatMap((check) => check.requirements));
  return requirements.map((requirement) => ({ ...requirement, status: decided.has(requirement.id) ? 'checked' : 'not judged yet' }));
}

const reasons: Readonly<Record<EvidenceKind, string>> = {
  source: 'no check of the source decides it yet',
  manifests: 'no check of the rendered manifests decides it yet',
  image: 'it shows in the built image: the gate judges it before a release',
  running: 'it shows only in the running service',
  statement: 'no machine can tell: it needs a signed statement',
};

const renderedOf = ({ renderings }: Subject): Report['rendered'] =>
  renderings.flatMap(({ bundle, environment, outcome }) =>
    outcome.ok ? [{ bundle: bundle.bundle.metadata.name, environment: environment.name, objects: outcome.objects.length }] : [],
  );

/** The same sentence about the same place stands once, with all environments that it concerns. */
function distinct(findings: readonly Finding[]): Finding[] {
  const merged = new Map<string, Finding>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.check, finding.message, finding.file, finding.line]);
    const earlier = merged.get(key);
    const environments = [...new Set([...(earlier?.environments ?? []), ...(finding.environments ?? [])])];
    merged.set(key, { ...(earlier ?? finding), ...(environments.length > 0 ? { environments } : {}) });
  }
  return [...merged.values()];
}

function byWeight(a: Finding, b: Finding): number {
  if (a.severity !== b.severity) return a.severity === 'error' ? -1 : 1;
  const [fileA, fileB] = [a.file ?? '', b.file ?? ''];
  if (fileA !== fileB) return fileA < fileB ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0);
}
