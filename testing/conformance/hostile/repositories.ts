import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commitAll, git, type Stage, writeText } from '../../journeys/stage.ts';

/** Files of a small service without an image, so that a case about its chart or its jobs needs no build. */
export const plainFiles = (service: string): Record<string, string> => ({
  'README.md': `# ${service}\n`,
  '.gitlab-ci.yml': ciWithoutImages,
  'deployment/Chart.yaml': `apiVersion: v2\nname: ${service}\nversion: 1.0.0\n`,
  'deployment/fleet.yaml': `defaultNamespace: ${service}\n`,
  'deployment/values.yaml': '{}\n',
  'deployment/templates/settings.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  a: b\n',
});

/** A release job in name only: its verb is never reached, so the release holds no image. */
const ciWithoutImages = `release-e2e:
  stage: deploy
  script:
    - |
      if false; then
      desp job release --env e2e
      fi
`;

/** A work tree whose every case is a branch without history, pushed as one delivery. */
export interface Cases {
  readonly tree: string;
  push(branch: string, files: Readonly<Record<string, string>>, links?: Readonly<Record<string, string>>): Promise<string>;
}

export async function openCases(stage: Stage, person: string, service: string, remote: string): Promise<Cases> {
  const tree = stage.path('work', service);
  mkdirSync(tree, { recursive: true });
  await git(stage, person, dirname(tree), ['init', '--quiet', '--initial-branch', 'empty', tree]);
  await git(stage, person, tree, ['config', 'credential.helper', '!desp git-credential']);
  await git(stage, person, tree, ['remote', 'add', 'origin', remote]);
  return {
    tree,
    /** Gives what Git said to the pusher. */
    async push(branch, files, links = {}) {
      await git(stage, person, tree, ['checkout', '--quiet', '--orphan', branch]);
      await stage.client(person, ['git', '-C', tree, 'rm', '-rfq', '--ignore-unmatch', '.']);
      for (const [path, text] of Object.entries(files)) writeText(join(tree, path), text);
      for (const [path, target] of Object.entries(links)) {
        rmSync(join(tree, path), { force: true });
        symlinkSync(target, join(tree, path));
      }
      await commitAll(stage, person, tree, branch);
      return (await git(stage, person, tree, ['push', '--quiet', 'origin', branch])).err;
    },
  };
}
