import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { ChartError, type ProfileName } from '@desp/chart';
import { openProvenance } from '@desp/chart/node';
import { globalFlags } from './global-flags.ts';
import { HelmError, type HelmInvocation, type HelmVerb, isSystemError, systemReason } from './helm-command.ts';

/** Where GnuPG keeps public keys: the old file, or the keybox where only that is there (Helm 4). */
export function defaultKeyring(helm: ProfileName): string {
  const home = process.env['GNUPGHOME'] ?? join(homedir(), '.gnupg');
  const old = join(home, 'pubring.gpg');
  const keybox = join(home, 'pubring.kbx');
  return helm === 'helm4' && !existsSync(old) && existsSync(keybox) ? keybox : old;
}

/**
 * Checks an archive against the provenance file beside it.
 *
 * @returns what Helm prints of it
 * @throws HelmError with Helm's words
 */
export async function verifyFile(
  path: string,
  keyring: string,
  helm: ProfileName,
  name = basename(path),
  provenance = `${path}.prov`,
): Promise<string> {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status) throw new HelmError(`stat ${path}: no such file or directory`);
  if (status.isDirectory()) throw new HelmError('unpacked charts cannot be verified');
  if (!/\.tgz$/i.test(name)) throw new HelmError('chart must be a tgz file');
  if (!existsSync(provenance))
    throw new HelmError(`could not load provenance file ${provenance}: stat ${provenance}: no such file or directory`);
  const { verifyArchive } = await openProvenance();
  try {
    const { signedBy, fingerprint, hash } = await verifyArchive(readFileSync(path), name, readFileSync(provenance), keyring);
    return `${signedBy.map((who) => `Signed by: ${who}\n`).join('')}Using Key With Fingerprint: ${fingerprint}\nChart Hash Verified: ${hash}\n`;
  } catch (error) {
    if (isSystemError(error))
      throw new HelmError(`failed to load keyring: ${error.syscall === 'read' ? 'read' : 'open'} ${keyring}: ${systemReason(error)}`);
    // Helm 3 says more of what it tried.
    if (helm === 'helm3' && error instanceof ChartError && error.message === 'signature block not found')
      throw new HelmError(`failed to decode signature: ${error.message}`);
    throw error;
  }
}

async function run({ helm, flags, io }: HelmInvocation): Promise<void> {
  const [path = ''] = flags.args;
  io.out(await verifyFile(path, flags.text('keyring') ?? defaultKeyring(helm), helm));
}

export const verb: HelmVerb = {
  flags: { ...globalFlags, keyring: { kind: 'text' } },
  use: { path: 'verify', line: 'verify PATH [flags]', least: 1, most: 1 },
  run,
  help: `Check an archive against its provenance file, PATH.prov: who signed it, and whether it is what was signed.

Usage:
  desp chart [--helm 3|4] verify PATH [--keyring FILE]

Example:
  desp chart verify ./app-1.2.0.tgz --keyring ./release-team.gpg

      --keyring FILE  public keys: gpg --export > FILE, armored or not, or a keybox; default: GnuPG's own
`,
};
