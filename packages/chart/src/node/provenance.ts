import { createHash } from 'node:crypto';
import { createCleartextMessage, decryptKey, type Key, type PrivateKey, readCleartextMessage, readKeys, sign, verify } from 'openpgp';
import { ChartError } from '../errors.ts';
import type { Metadata } from '../loader/metadata.ts';
import { formatMetadata } from '../pack/metadata-document.ts';
import { quote } from '../value/text.ts';
import { yamlToValue } from '../yaml/values.ts';
import { writeYaml } from '../yaml/writer.ts';
import { type Keyring, readKeyring } from './keyring.ts';

/**
 * Provenance of packed charts: a clear-signed text (OpenPGP, RFC 9580) of the chart's Chart.yaml, a line `...` and the
 * archive's SHA-256. Whoever has the signer's public key can tell that the archive is the one that was signed.
 */

export interface Verification {
  /** The signer's names, `NAME (COMMENT) <EMAIL>`. */
  readonly signedBy: readonly string[];
  /** Of the primary key, in upper-case hexadecimal. */
  readonly fingerprint: string;
  /** `sha256:…` of the archive. */
  readonly hash: string;
}

/** Why a signature does not hold; the words are Helm's. */
const refused = (message: string, cure: string, cause?: unknown): ChartError =>
  new ChartError('SIGNATURE_INVALID', message, { cure, ...(cause === undefined ? {} : { cause }) });

const digest = (archive: Uint8Array): string => `sha256:${createHash('sha256').update(archive).digest('hex')}`;

const maxProvenanceBytes = 5 * 1024 * 1024;

/**
 * Checks an archive against its provenance.
 *
 * @param fileName the archive's name, which the provenance must hold
 * @throws ChartError SIGNATURE_INVALID with Helm's words; never returns otherwise than verified
 */
export async function verifyArchive(archive: Uint8Array, fileName: string, provenance: Uint8Array, keyring: string): Promise<Verification> {
  const keys = await keysOf(keyring, 'failed to load keyring: ');
  if (provenance.length > maxProvenanceBytes) throw refused('the provenance file is too large', 'Ask for the right file.');
  const text = Buffer.from(provenance).toString('utf8');
  const message = await readCleartextMessage({ cleartextMessage: text.slice(Math.max(0, text.indexOf('-----BEGIN PGP SIGNED'))) }).catch(
    () => {
      throw refused('signature block not found', 'Ask for the provenance file that belongs to the archive.');
    },
  );
  const { signatures } = await verify({ message, verificationKeys: keys });
  const signer = await signerOf(signatures, keys);
  const hash = digest(archive);
  const [, sums] = message.getText().split('\n...\n');
  if (sums === undefined) throw refused('message block must have at least two parts', 'Sign the chart anew.');
  const files = filesOf(sums);
  const wanted = files.get(fileName);
  if (wanted === undefined)
    throw refused(
      `provenance does not contain a SHA for a file named ${quote(fileName)}`,
      'Keep the name that the archive was signed with.',
    );
  if (wanted !== hash)
    throw refused(
      `sha256 sum does not match for ${fileName}: ${quote(wanted)} != ${quote(hash)}`,
      'Do not use this archive: it is not what was signed.',
    );
  return { signedBy: signer.getUserIDs(), fingerprint: signer.getFingerprint().toUpperCase(), hash };
}

function filesOf(sums: string): Map<string, string> {
  const value = yamlToValue(sums);
  const files = value instanceof Map ? value.get('files') : undefined;
  const pairs = files instanceof Map ? [...files] : [];
  return new Map(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}

async function signerOf(
  signatures: readonly { keyID: { toHex(): string }; verified: Promise<true> }[],
  keys: readonly Key[],
): Promise<Key> {
  let problem = refused('openpgp: signature made by unknown entity', "Import the signer's public key, if you trust it.");
  for (const { keyID, verified } of signatures) {
    const key = keys.find((candidate) => candidate.getKeys().some((part) => part.getKeyID().toHex() === keyID.toHex()));
    if (!key) continue;
    try {
      await verified;
    } catch (cause) {
      problem = refused('openpgp: invalid signature', 'Do not use this archive: its provenance was changed after it was signed.', cause);
      continue;
    }
    const end = await key.getExpirationTime();
    if (end === null || (end instanceof Date && end.getTime() <= Date.now()))
      throw refused('openpgp: key expired', 'Ask the signer for a key that is valid, or for a new signature.');
    return key;
  }
  throw problem;
}

/** @param doing what Helm says before its words for keys that cannot be read */
async function keysOf(path: string, doing = ''): Promise<Key[]> {
  const keyring: Keyring = readKeyring(path);
  try {
    if (keyring.kind === 'binary') return keyring.data.length === 0 ? [] : await readKeys({ binaryKeys: keyring.data });
    const lists: Key[][] = [];
    for (const block of keyring.blocks) lists.push(await readKeys({ armoredKeys: block }));
    return lists.flat();
  } catch (cause) {
    // Every packet begins with a byte of more than 127: text is none.
    const isText = keyring.kind === 'binary' && (keyring.data[0] ?? 0) < 128;
    const why = isText ? 'tag byte does not have MSB set' : `${path} holds no keys that can be read`;
    throw refused(`${doing}openpgp: invalid data: ${why}`, 'Export the keys with gpg --export.', cause);
  }
}

export interface SignRequest {
  readonly archive: Uint8Array;
  readonly fileName: string;
  readonly metadata: Metadata;
  readonly keyring: string;
  /** The signer's name, or a part of it that no other key has. */
  readonly signer: string;
  /** Asked only when the key is locked. */
  readonly passphrase: (keyName: string) => Promise<string>;
}

/** The provenance of an archive. @throws ChartError */
export async function signArchive(request: SignRequest): Promise<string> {
  const key = pickSigner(await keysOf(request.keyring), request.signer);
  if (!key) throw refused('private key not found', 'Name a key of the keyring with --key.');
  if (!key.isPrivate())
    throw refused('provided key is not a private key. Try providing a keyring with secret keys', 'gpg --export-secret-keys writes one.');
  const privateKey = await unlocked(key as PrivateKey, request.passphrase);
  const sums = writeYaml(new Map([['files', new Map([[request.fileName, digest(request.archive)]])]]));
  const message = await createCleartextMessage({ text: `${formatMetadata(request.metadata)}\n...\n${sums}` });
  return sign({ message, signingKeys: privateKey, config: { preferredHashAlgorithm: 10 } });
}

function pickSigner(keys: readonly Key[], name: string): Key | undefined {
  const exact = keys.find((key) => key.getUserIDs().includes(name));
  if (exact) return exact;
  const near = keys.filter((key) => key.getUserIDs().some((id) => id.includes(name)));
  if (near.length > 1) throw refused(`more than one key contain the id ${quote(name)}`, 'Give more of the name.');
  return near[0];
}

async function unlocked(key: PrivateKey, passphrase: SignRequest['passphrase']): Promise<PrivateKey> {
  if (key.isDecrypted()) return key;
  const given = await passphrase(key.getUserIDs()[0] ?? 'Unknown');
  try {
    return await decryptKey({ privateKey: key, passphrase: given });
  } catch {
    // The cause may hold what was given.
    throw refused('openpgp: invalid data: private key checksum failure', 'Give the right passphrase.');
  }
}
