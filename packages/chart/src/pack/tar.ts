import type { ChartFile } from '../loader/chart.ts';
import { isAscii, toBytes } from '../value/text.ts';

/**
 * Files as a tar stream (POSIX ustar), all with mode 0644, no owner and one time, so that the same chart always gives the
 * same bytes. A name that ustar cannot hold gets a PAX record.
 *
 * @param time seconds since 1970
 */
export function writeTar(files: readonly ChartFile[], time: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { name, data } of files) {
    const split = splitName(name);
    if (!split) {
      const record = paxRecord('path', name);
      parts.push(header({ name: 'PaxHeaders.0/chart', prefix: '' }, record.length, time, 'x'), padded(record));
    }
    parts.push(header(split ?? { name: name.replace(/[^\0-\x7f]/g, '').slice(-100), prefix: '' }, data.length, time, '0'), padded(data));
  }
  parts.push(new Uint8Array(2 * block));
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const block = 512;

interface SplitName {
  readonly name: string;
  readonly prefix: string;
}

/** ustar has 100 bytes for a name and 155 for the folders before it. */
function splitName(path: string): SplitName | undefined {
  if (!isAscii(path)) return undefined;
  if (path.length <= 100) return { name: path, prefix: '' };
  const slash = path.indexOf('/', path.length - 101);
  if (slash < 1 || slash > 155 || slash === path.length - 1) return undefined;
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

function header({ name, prefix }: SplitName, size: number, time: number, type: '0' | 'x'): Uint8Array {
  const out = new Uint8Array(block);
  const put = (at: number, text: string): void => out.set(toBytes(text), at);
  const number = (at: number, length: number, value: number): void => put(at, value.toString(8).padStart(length - 1, '0'));
  put(0, name);
  number(100, 8, 0o644);
  number(108, 8, 0);
  number(116, 8, 0);
  number(124, 12, size);
  number(136, 12, time);
  put(148, '        ');
  put(156, type);
  put(257, 'ustar\x0000');
  number(329, 8, 0);
  number(337, 8, 0);
  put(345, prefix);
  const sum = out.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return out;
}

function padded(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(data.length / block) * block);
  out.set(data);
  return out;
}

/** `LENGTH KEY=VALUE\n`, the length counting itself. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = toBytes(` ${key}=${value}\n`).length;
  let length = rest;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return toBytes(`${length} ${key}=${value}\n`);
}
