import type { Found } from '../report.ts';
import type { Subject } from '../subject.ts';
import type { Check } from './check.ts';

export const repositoryLayout: Check = {
  id: 'repository-layout',
  title: 'The repository has the layout of section 3.2.',
  requirements: ['SHALL-3.2.1', 'SHALL-3.2.2', 'DESP-DEV-007', 'DESP-DEV-009', 'DESP-DEV-036'],
  run: (subject) => [...topLevel(subject), ...charts(subject)],
};

function topLevel({ byPath, files }: Subject): Found[] {
  const found: Found[] = [];
  const missing = (what: string, cure: string): void =>
    void found.push({ severity: 'error', message: `The repository has no ${what}.`, cure });
  if (!byPath.has('.gitlab-ci.yml')) missing('.gitlab-ci.yml', 'Add one that includes the templates of the platform (section 3.5.2).');
  if (!files.some(({ path }) => /^readme(\.(md|rst|txt))?$/i.test(path))) missing('README.md', 'Add one that says what the service is.');
  if (!files.some(({ path }) => /^images\/.*Dockerfile[^/]*$/.test(path)))
    missing('Dockerfile under images/', 'Put the Dockerfile of each image into images/<image>/.');
  if (!files.some(({ path }) => path.startsWith('deployment/'))) missing('deployment/', 'Create it with "helm create" (section 3.6).');
  return found;
}

function charts({ files, byPath, environments }: Subject): Found[] {
  const folders = files.flatMap(({ path }) =>
    /^deployment\/([^/]+\/)?Chart\.yaml$/.test(path) ? [path.slice(0, -'Chart.yaml'.length)] : [],
  );
  if (folders.length === 0 && files.some(({ path }) => path.startsWith('deployment/')))
    return [
      {
        severity: 'error',
        message: 'deployment/ has no Helm chart.',
        file: 'deployment',
        cure: 'Add Chart.yaml, templates/ and values.yaml.',
      },
    ];
  return folders.flatMap((folder) => {
    const found: Found[] = [];
    if (!byPath.has(`${folder}fleet.yaml`) && !byPath.has(`${folder}fleet.yml`))
      found.push({
        severity: 'error',
        message: `${folder} has a chart and no fleet.yaml.`,
        file: `${folder}Chart.yaml`,
        cure: 'Add fleet.yaml beside Chart.yaml (section 3.6.1).',
      });
    for (const { name, valuesFile } of environments)
      if (!byPath.has(`${folder}${valuesFile}`))
        found.push({
          severity: 'warning',
          message: `${folder} has no ${valuesFile} for ${name}.`,
          file: `${folder}Chart.yaml`,
          environments: [name],
          cure: `Add ${valuesFile}, if only to say that nothing differs there.`,
        });
    if (!files.some(({ path }) => path.startsWith(folder) && /^readme(\.(md|rst|txt))?$/i.test(path.slice(folder.length))))
      found.push({
        severity: 'warning',
        message: `The chart in ${folder} has no readme of its own.`,
        file: `${folder}Chart.yaml`,
        cure: `Add ${folder}README.md with what an operator must know.`,
      });
    return found;
  });
}
