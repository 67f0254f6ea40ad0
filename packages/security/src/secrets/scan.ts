import { entropy, looksSecret, type SecretRule, secretRules } from './rules.ts';

/**
 * Secrets in pushed source (DESP-DEV-003: no hard-coded logins, passwords, API keys or secret keys).
 *
 * A finding never holds the secret: it shows the first characters and the length, so that its owner knows it and nobody
 * else learns it. Marks that ask a scanner to look away are counted, not obeyed.
 */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface SecretFinding {
  readonly rule: string;
  /** `path:line`, lines from 1. */
  readonly location: string;
  readonly what: string;
  /** The first characters and the length. */
  readonly redacted: string;
  /** True when the line, or the one above, carries a mark that asks scanners to ignore it; it counts all the same. */
  readonly marked: boolean;
  readonly cure: string;
}

export interface SecretScan {
  readonly findings: readonly SecretFinding[];
  readonly files: number;
  /** Lines with a mark that asks scanners to look away, whether something was found there or not. */
  readonly marks: readonly string[];
  readonly notAssessed: readonly { readonly what: string; readonly why: string }[];
}

const maximumFile = 8 << 20;
const maximumLine = 20_000;
const maximumFindings = 1000;
const mark = /(?:gitleaks:allow|pragma:?\s*allowlist|nosec\b|noqa:?\s*S1\d\d|secretlint-disable|trufflehog:ignore|nosonar|trivy:ignore)/i;
const cure =
  'Take it out of the source and of the history, change it where it is used, and keep the new one in the secret store (procedure, sections 3.6.3 and 3.6.6).';

/** At most four characters, and never more than a quarter. */
export function redact(secret: string): string {
  const shown = /^-----|PRIVATE KEY/.test(secret) ? '' : secret.slice(0, Math.min(4, Math.floor(secret.length / 4)));
  return `${shown}… (${secret.length} characters)`;
}

/** Searches the files of a commit. */
export function scanSecrets(files: Iterable<SourceFile>): SecretScan {
  const findings: SecretFinding[] = [];
  const marks: string[] = [];
  const notAssessed: { what: string; why: string }[] = [];
  let count = 0;
  for (const file of files) {
    count++;
    if (file.text.length > maximumFile) {
      notAssessed.push({ what: file.path, why: `it has over ${maximumFile} characters` });
      continue;
    }
    if (file.text.includes('\0')) {
      notAssessed.push({ what: file.path, why: 'it is no text' });
      continue;
    }
    scanFile(file, findings, marks, notAssessed);
    if (findings.length >= maximumFindings) {
      notAssessed.push({ what: 'the files after it', why: `${maximumFindings} findings are enough to refuse the source` });
      break;
    }
  }
  return { findings, files: count, marks, notAssessed };
}

function scanFile(file: SourceFile, findings: SecretFinding[], marks: string[], notAssessed: { what: string; why: string }[]): void {
  const lines = file.text.split('\n');
  const marked = (index: number): boolean => mark.test(lines[index] ?? '') || mark.test(lines[index - 1] ?? '');
  const add = (index: number, rule: string, what: string, secret: string): void => {
    const location = `${file.path}:${index + 1}`;
    if (
      findings.some(
        (finding) =>
          finding.location === location && (finding.rule === rule || rule === 'assigned-password' || rule === 'kubernetes-secret'),
      )
    )
      return;
    findings.push({ rule, location, what, redacted: redact(secret), marked: marked(index), cure });
  };
  for (const [index, whole] of lines.entries()) {
    if (mark.test(whole)) marks.push(`${file.path}:${index + 1}`);
    if (whole.length > maximumLine)
      notAssessed.push({ what: `${file.path}:${index + 1}`, why: `only the first ${maximumLine} characters of the line were read` });
    const line = whole.slice(0, maximumLine).replace(/\r$/, '');
    const lower = line.toLowerCase();
    for (const rule of secretRules) {
      if (!rule.words.some((word) => lower.includes(word))) continue;
      for (const secret of matches(rule, line, file.path)) add(index, rule.id, rule.what, secret);
    }
  }
  for (const { index, secret } of kubernetesSecrets(lines))
    add(index, 'kubernetes-secret', 'a value in a Kubernetes Secret manifest', secret);
}

function* matches(rule: SecretRule, line: string, path: string): Generator<string> {
  for (const match of line.matchAll(rule.pattern)) {
    const secret = match.slice(1).find((group) => group !== undefined);
    if (secret !== undefined && (rule.accept?.(secret, line, path) ?? true)) yield secret;
  }
}

/** Values under `data` or `stringData` of documents of kind Secret, read by indentation: manifests may be templates, which no YAML parser takes. */
function* kubernetesSecrets(lines: readonly string[]): Generator<{ index: number; secret: string }> {
  let isSecret = false;
  let block: { indent: number; encoded: boolean } | undefined;
  const pending: { index: number; secret: string }[] = [];
  for (const [index, line] of lines.entries()) {
    if (/^---/.test(line)) {
      if (isSecret) yield* pending;
      pending.length = 0;
      isSecret = false;
      block = undefined;
      continue;
    }
    const indent = line.length - line.trimStart().length;
    if (/^kind:\s*["']?Secret["']?\s*$/.test(line)) isSecret = true;
    const opens = /^(data|stringData):\s*$/.exec(line);
    if (opens) {
      block = { indent, encoded: opens[1] === 'data' };
      continue;
    }
    if (!block || line.trim() === '') continue;
    if (indent <= block.indent) {
      block = undefined;
      continue;
    }
    const value = /^\s+["']?[\w.-]{1,253}["']?:\s+["']?([^\s"'{][^"']{2,2000}?)["']?\s*$/.exec(line)?.[1];
    if (value && meant(value, block.encoded)) pending.push({ index, secret: value });
  }
  if (isSecret) yield* pending;
}

function meant(value: string, encoded: boolean): boolean {
  if (!encoded) return looksSecret(value);
  try {
    const text = atob(value);
    return text.length >= 4 && !/^[$<{]/.test(text) && (looksSecret(text) || entropy(text) >= 3);
  } catch {
    return false;
  }
}
