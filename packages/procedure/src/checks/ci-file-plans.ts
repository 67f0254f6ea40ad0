import type { PlannedJob } from '@desp/pipeline';
import type { Found } from '../report.ts';
import type { Subject } from '../subject.ts';
import type { Check } from './check.ts';

export const ciFilePlans: Check = {
  id: 'ci-file-plans',
  title: 'The CI file makes a pipeline with the templates of the platform, and its build folders exist.',
  requirements: ['DESP-DEV-050', 'DESP-DEV-036', 'SHALL-3.3.1'],
  run(subject) {
    const { pipeline } = subject;
    if (!pipeline) return [];
    if (!pipeline.ok)
      return pipeline.errors.map((error) => ({
        severity: 'error',
        message: error.message,
        ...error.where,
        cure: error.cure ?? 'Correct the CI file.',
      }));
    return pipeline.plan.jobs.flatMap((job) => [...buildFolder(subject, job), ...imageNames(job)]);
  },
};

function buildFolder({ byPath }: Subject, job: PlannedJob): Found[] {
  const folder = job.variables['DOCKER_BUILDPATH'];
  if (!folder) return [];
  const path = folder.replace(/^\.\//, '').replace(/\/+$/, '');
  if (byPath.has(`${path}/Dockerfile`)) return [];
  const message = `Job "${job.name}" builds from ${folder}, where there is no Dockerfile.`;
  return [
    {
      severity: 'error',
      message,
      file: job.place.file,
      ...(job.place.line ? { line: job.place.line } : {}),
      cure: 'Correct DOCKER_BUILDPATH, or add the Dockerfile.',
    },
  ];
}

/** `<service>/<path>:<version>`: a name with a version, and not the moving `latest`. */
function imageNames(job: PlannedJob): Found[] {
  const names = [job.variables['TEST_IMAGE'], job.variables['DEPLOY_IMAGES']]
    .flatMap((value) => value?.split(/\s+/) ?? [])
    .filter((name) => name !== '');
  return names.flatMap((name) => {
    if (/^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)+:(?!latest$)[\w][\w.-]{0,127}$/.test(name)) return [];
    const message = `Job "${job.name}" names the image "${name}", which is not <service>/<image>:<version>.`;
    return [
      {
        severity: 'error' as const,
        message,
        file: job.place.file,
        ...(job.place.line ? { line: job.place.line } : {}),
        cure: 'Name it as my-service/my-image:1.0.0.',
      },
    ];
  });
}
