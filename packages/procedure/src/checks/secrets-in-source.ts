import type { Check } from './check.ts';

/** Larger files are data, and no secret of a person. */
const sizeLimit = 2 * 1024 * 1024;

export const secretsInSource: Check = {
  id: 'secrets-in-source',
  title: 'The source holds no passwords, tokens or keys.',
  requirements: ['DESP-DEV-003', 'SHALL-3.6.6'],
  unable: (subject) => (subject.scanSecrets ? undefined : 'no scanner for secrets was given'),
  run: ({ files, scanSecrets }) =>
    files
      .filter(({ data }) => data.byteLength <= sizeLimit)
      .flatMap(({ path, data }) =>
        (scanSecrets?.(path, data) ?? []).map(({ line, rule, description }) => ({
          severity: 'error' as const,
          message: `${path} holds what looks like a secret: ${description} (${rule}).`,
          file: path,
          line,
          cure: 'Remove it, make it invalid where it was issued, and keep its successor in the secret store.',
        })),
      ),
};
