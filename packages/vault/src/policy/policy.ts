import { z } from 'zod';
import { VaultError } from '../errors.ts';
import { type HclBlock, parseHcl } from './hcl.ts';

export const capabilityNames = ['create', 'read', 'update', 'patch', 'delete', 'list', 'sudo', 'deny'] as const;
export type Capability = (typeof capabilityNames)[number];

export interface PolicyRule {
  /** As written: exact, with a trailing `*`, with `+` segments. */
  readonly path: string;
  readonly capabilities: ReadonlySet<Capability>;
}

/** Bytes of the largest policy text. */
export const maxPolicyBytes = 256 * 1024;

const JsonPolicy = z.object({ path: z.record(z.string(), z.record(z.string(), z.unknown())) });

const bodyKeys = z.object({
  capabilities: z.union([z.array(z.string()), z.string().transform((one) => [one])]).optional(),
  policy: z.enum(['deny', 'read', 'write', 'sudo']).optional(),
  comment: z.string().optional(),
});

/** The old words for sets of capabilities. */
const shorthand: Readonly<Record<'deny' | 'read' | 'write' | 'sudo', readonly Capability[]>> = {
  deny: ['deny'],
  read: ['read', 'list'],
  write: ['create', 'read', 'update', 'delete', 'list'],
  sudo: ['create', 'read', 'update', 'delete', 'list', 'sudo'],
};

const failure = (why: string) => new VaultError('POLICY_INVALID', `failed to parse policy: ${why}`);

/**
 * Reads a policy in HCL or JSON. Parameter constraints (`allowed_parameters`, `required_parameters`, …) are refused, not
 * ignored: a policy that promises more than is kept would be a hole.
 *
 * @throws VaultError POLICY_INVALID
 */
export function parsePolicy(text: string): PolicyRule[] {
  if (Buffer.byteLength(text) > maxPolicyBytes) throw failure(`it is over ${maxPolicyBytes} bytes`);
  const blocks = text.trimStart().startsWith('{') ? jsonBlocks(text) : parseHcl(text);
  return blocks.map(({ type, label, body }) => {
    if (type !== 'path') throw failure(`invalid key "${type.slice(0, 60)}"`);
    for (const key of Object.keys(body)) {
      if (!(key in bodyKeys.shape)) throw failure(`path ${JSON.stringify(label)}: "${key.slice(0, 60)}" is not supported here`);
    }
    const parsed = bodyKeys.safeParse({ ...body });
    if (!parsed.success) throw failure(`path ${JSON.stringify(label)}: ${parsed.error.issues[0]?.message}`);
    const capabilities = new Set<Capability>(parsed.data.policy ? shorthand[parsed.data.policy] : []);
    for (const name of parsed.data.capabilities ?? []) {
      const known = capabilityNames.find((capability) => capability === name);
      if (!known) throw failure(`path ${JSON.stringify(label)}: invalid capability ${JSON.stringify(name.slice(0, 60))}`);
      capabilities.add(known);
    }
    if (capabilities.has('deny')) return { path: checkedPath(label), capabilities: new Set<Capability>(['deny']) };
    return { path: checkedPath(label), capabilities };
  });
}

/** A leading slash is dropped, as Vault does. */
function checkedPath(label: string): string {
  const path = label.replace(/^\/+/, '');
  if (path.includes('+*')) throw failure(`path ${JSON.stringify(label)}: invalid use of wildcards ('+*' is forbidden)`);
  if (path.indexOf('*') >= 0 && path.indexOf('*') < path.length - 1)
    throw failure(`path ${JSON.stringify(label)}: '*' is allowed at the end only`);
  return path;
}

function jsonBlocks(text: string): HclBlock[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new VaultError('POLICY_INVALID', 'failed to parse policy: it is no JSON text', { cause });
  }
  const parsed = JsonPolicy.safeParse(json);
  if (!parsed.success) throw failure('it holds no "path" object');
  return Object.entries(parsed.data.path).map(([label, body]) => ({ type: 'path', label, body: body as HclBlock['body'] }));
}

/**
 * The commonest mistake: a rule that names `MOUNT/KEY` where KV version 2 has `MOUNT/data/KEY` and `MOUNT/metadata/KEY`.
 *
 * @param mounts paths of KV v2 mounts, each with its slash.
 * @returns one sentence per rule that can reach nothing.
 */
export function diagnosePolicy(rules: readonly PolicyRule[], mounts: readonly string[]): string[] {
  const parts = ['data', 'metadata', 'delete', 'undelete', 'destroy', 'config', 'subkeys', '+', '*'];
  return rules.flatMap(({ path }) => {
    const mount = mounts.find((one) => path.startsWith(one) && path.length > one.length);
    const rest = mount && path.slice(mount.length);
    if (!mount || !rest || parts.some((part) => rest === part || rest.startsWith(`${part}/`) || rest.startsWith(`${part}*`))) return [];
    return [
      `The path ${JSON.stringify(path)} reaches nothing: ${mount} is a KV version 2 mount. Values are read at ${mount}data/${rest}, names are listed at ${mount}metadata/${rest}.`,
    ];
  });
}
