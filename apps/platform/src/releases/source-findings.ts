import { scanSecrets } from '@desp/security';
import { PlatformError } from '../platform-error.ts';
import type { Source } from './read-source.ts';

/** What the record says about the source that a release was built from. */
export interface SourceFindings {
  readonly files: number;
  readonly findings: { rule: string; location: string; what: string }[];
  readonly notAssessed: { what: string; why: string }[];
}

const shown = 5;

/** Searches the commit for secrets (DESP-DEV-003). One is enough: it is in Git's history, and has to be replaced. */
export function judgeSource(source: Source): SourceFindings {
  const texts = source.files
    .filter((file) => !file.data.includes(0))
    .map((file) => ({ path: file.path, text: new TextDecoder().decode(file.data) }));
  const scan = scanSecrets(texts);
  if (scan.findings.length) {
    const list = scan.findings.slice(0, shown).map((finding) => `${finding.location} ${finding.what} ${finding.redacted}`);
    throw new PlatformError(
      'GATE_CLOSED',
      `The source holds ${scan.findings.length === 1 ? 'a secret' : `${scan.findings.length} secrets`} (DESP-DEV-003): ${list.join('; ')}.`,
      {
        kind: 'user',
        cure: 'Replace the secret where it is used, for it is known now; take it out of the source, and write the new one with desp secret put.',
      },
    );
  }
  return {
    files: source.files.length,
    findings: [],
    notAssessed: [...scan.notAssessed, ...source.tooLarge.map((path) => ({ what: path, why: 'it is over 5 MiB' }))],
  };
}
