import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeImageArchive } from './image-archive.ts';
import { demand, root, type Stage } from './stage.ts';

/** The part of the story that needs neither root nor containers nor a server. */
export interface OfflineStep {
  readonly name: string;
  readonly run: (stage: Stage) => Promise<string>;
}

const sample = join(root, 'examples/sample-app');
const recordFolder = join(root, 'examples/release-record');

export const offlineSteps: readonly OfflineStep[] = [
  {
    name: 'The repository keeps the procedure, its pipeline plans, every environment renders (desp check)',
    async run(stage) {
      const answer = await stage.desp('provider', ['check', sample]);
      demand(answer, 'desp check');
      return answer.out
        .split('\n')
        .filter((line) => /^(pipeline|renders)/.test(line))
        .join('\n      ');
    },
  },
  {
    name: 'The gate judges an image archive: the first version is blocked',
    async run(stage) {
      const archive = stage.path('image-a-1.0.0.tar');
      mkdirSync(stage.folder, { recursive: true });
      writeImageArchive(archive, { app: join(sample, 'images/image-a') });
      const answer = await stage.desp('provider', ['gate', 'judge', archive]);
      demand(answer, 'the gate says no', answer.code === 1 && /CVE-2021-44906/.test(answer.out));
      return (
        answer.out
          .split('\n')
          .find((line) => line.includes('minimist'))
          ?.trim() ?? ''
      );
    },
  },
  {
    name: 'The chart renders as Helm renders it, for every environment (desp chart template)',
    async run(stage) {
      const sizes: string[] = [];
      for (const environment of ['e2e', 'prod']) {
        const answer = await stage.desp('provider', [
          'chart',
          'template',
          'sample-app',
          join(sample, 'deployment'),
          '-f',
          join(sample, `deployment/values.${environment}.yaml`),
        ]);
        demand(answer, `desp chart template for ${environment}`);
        sizes.push(`${environment}: ${answer.out.match(/^kind:/gm)?.length ?? 0} objects`);
      }
      return sizes.join(', ');
    },
  },
  {
    name: 'A release record verifies offline, and not when a byte changed (desp release verify)',
    async run(stage) {
      const [record, key] = [join(recordFolder, 'sample-app-1.0.1.json'), join(recordFolder, 'platform.pub')];
      const good = await stage.desp('provider', ['release', 'verify', record, '--key', key]);
      demand(good, 'the record is good');
      const bytes = readFileSync(record);
      bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] as number) ^ 1;
      writeFileSync(stage.path('changed.json'), bytes);
      const bad = await stage.desp('provider', ['release', 'verify', stage.path('changed.json'), '--key', key]);
      demand(bad, 'a changed record is refused', bad.code === 1);
      return good.out
        .split('\n')
        .slice(1, 3)
        .map((line) => line.trim())
        .join('\n      ');
    },
  },
];
