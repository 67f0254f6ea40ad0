import type { Check } from './check.ts';

export const confinedPaths: Check = {
  id: 'confined-paths',
  title: 'No path or symbolic link leads out of the repository.',
  requirements: [],
  run: (subject) => subject.treeFindings,
};
