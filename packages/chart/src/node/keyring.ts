import { readFileSync, statSync } from 'node:fs';
import { ChartError } from '../errors.ts';

/**
 * Keyrings as Helm takes them: GnuPG's old files of OpenPGP packets, its newer keybox, and armored exports one after
 * the other. The packets themselves are for the OpenPGP library.
 */
export type Keyring =
  | { readonly kind: 'armored'; readonly blocks: readonly string[] }
  | { readonly kind: 'binary'; readonly data: Uint8Array };

const maxKeyringBytes = 16 * 1024 * 1024;

/** @throws ChartError, or Node's error where the file cannot be read */
export function readKeyring(path: string): Keyring {
  const data = readBounded(path);
  if (isKeybox(data)) {
    try {
      return { kind: 'binary', data: keyboxKeys(data) };
    } catch (error) {
      throw new ChartError('CHART_INVALID', `reading keybox ${path}: ${error instanceof Error ? error.message : String(error)}`, {
        cure: 'Export the keys with gpg --export.',
      });
    }
  }
  const text = data.toString('latin1').trimStart();
  if (!text.startsWith('-----BEGIN PGP')) return { kind: 'binary', data };
  return { kind: 'armored', blocks: data.toString('utf8').match(/-----BEGIN PGP [^\n]*-----[\s\S]*?-----END PGP [^\n]*-----/g) ?? [] };
}

function readBounded(path: string): Buffer {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > maxKeyringBytes) throw new ChartError('LIMIT_EXCEEDED', `the keyring ${path} has more than ${maxKeyringBytes} bytes`);
  try {
    return readFileSync(path);
  } catch (error) {
    // Node does not say which folder it was that is no file.
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  }
}

/** Kinds of a keybox's blobs, and the flag of those that GnuPG itself passes over (its kbx/keybox-blob.c). */
const headerBlob = 1;
const keyBlob = 2;
const ephemeral = 2;

const isKeybox = (data: Buffer): boolean => data.length >= 12 && data[4] === headerBlob && data.toString('latin1', 8, 12) === 'KBXf';

function keyboxKeys(data: Buffer): Uint8Array {
  const keys: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    if (data.length - at < 5) throw new Error(`truncated blob header at offset ${at}`);
    const length = data.readUInt32BE(at);
    if (length < 5 || length > data.length - at) throw new Error(`invalid blob length ${length} at offset ${at}`);
    const blob = data.subarray(at, at + length);
    if (blob[4] === keyBlob) {
      if (blob.length < 16) throw new Error(`OpenPGP blob at offset ${at} is too short`);
      const start = blob.readUInt32BE(8);
      const size = blob.readUInt32BE(12);
      if (start + size > blob.length) throw new Error(`OpenPGP blob at offset ${at} has an out-of-range keyblock`);
      if ((blob.readUInt16BE(6) & ephemeral) === 0) keys.push(blob.subarray(start, start + size));
    }
    at += length;
  }
  if (keys.length === 0) throw new Error('keybox contains no OpenPGP keys');
  return Buffer.concat(keys);
}
