import { ControllerError } from '../controller-error.ts';

/** The parts of a claim that a path pattern may name. */
export interface ClaimNames {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const limits = { length: 1024, part: 255, depth: 16 } as const;

/**
 * The path of a claim's folder below its class's folder. A pattern that gives nothing (its annotation is missing) falls back to
 * `namespace-name-VOLUME`, as the NFS provisioner does. What leads out, or could, is refused (its users escaped by `..`).
 *
 * @throws ControllerError INVALID
 */
export function volumePath(pattern: string, claim: ClaimNames, volume: string): string {
  const text = pattern.replace(/\$\{\.PVC\.([^}]*)\}/g, (_, field: string) => fieldOf(claim, field));
  return confinePath(text === '' ? `${claim.namespace}-${claim.name}-${volume}` : text);
}

function fieldOf(claim: ClaimNames, field: string): string {
  if (field === 'namespace' || field === 'name') return claim[field];
  const [, where, key = ''] = /^(labels|annotations)\.(.+)$/.exec(field) ?? [];
  const entries = where === 'labels' ? claim.labels : where === 'annotations' ? claim.annotations : {};
  return Object.hasOwn(entries, key) ? (entries[key] ?? '') : '';
}

/** The path in its one spelling. @throws ControllerError INVALID when it could lead anywhere else than below its root */
export function confinePath(path: string): string {
  const parts = path.replace(/\/$/, '').split('/');
  const why =
    path.length > limits.length
      ? 'is too long'
      : /[\u0000-\u001f\u007f\\\u2028\u2029]/.test(path)
        ? 'holds a control character or a backslash'
        : path.startsWith('/')
          ? 'is absolute'
          : parts.some((part) => part === '..' || part === '.' || part === '')
            ? 'holds an empty part, "." or ".."'
            : parts.some((part) => part.startsWith('.'))
              ? 'holds a part that begins with a dot'
              : parts.length > limits.depth || parts.some((part) => Buffer.byteLength(part) > limits.part)
                ? 'has too many or too long parts'
                : path !== path.normalize('NFC')
                  ? 'is not in Unicode normal form C'
                  : undefined;
  if (why === undefined) return parts.join('/');
  throw new ControllerError('INVALID', `The storage path ${JSON.stringify(path.slice(0, 200))} ${why}.`, {
    kind: 'user',
    cure: 'Write a relative path of plain names, such as custom/directory.',
  });
}

/** Whether one of the two lies in the other, or they are the same. */
export function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
