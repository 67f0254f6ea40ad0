import { closeSync, openSync, readSync } from 'node:fs';

/**
 * Random bytes of the kernel's generator, which Node's own also draws on. Read as a file, because most charts want
 * nothing else of Node's cryptography, and loading that takes a small chart's whole time.
 *
 * @throws the system's error where there is no such file
 */
export function kernelRandom(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const file = openSync('/dev/urandom', 'r');
  try {
    let read = 0;
    while (read < length) read += readSync(file, bytes, read, length - read, null);
  } finally {
    closeSync(file);
  }
  return bytes;
}
