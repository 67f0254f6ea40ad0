/**
 * Tar archives whose bytes depend on their content alone (POSIX.1-2017 pax, section "ustar Interchange Format"):
 * time 0, owner 0, no names; so the same files make the same digest on every machine.
 */
export type TarItem =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Uint8Array }
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

const block = 512;
const typeFlag = { file: '0', folder: '5', symlink: '2' } as const;

function header(name: string, type: string, mode: number, size: number, link: string): Buffer {
  const bytes = Buffer.alloc(block);
  bytes.write(name, 0, 100, 'utf8');
  bytes.write(`${mode.toString(8).padStart(7, '0')}\0`, 100, 'latin1');
  bytes.write('0000000\0', 108, 'latin1');
  bytes.write('0000000\0', 116, 'latin1');
  bytes.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  bytes.write('00000000000\0', 136, 'latin1');
  bytes.write('        ', 148, 'latin1');
  bytes.write(type, 156, 'latin1');
  bytes.write(link, 157, 100, 'utf8');
  bytes.write('ustar\x0000', 257, 'latin1');
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

const padding = (size: number): Buffer => Buffer.alloc((block - (size % block)) % block);

/** A pax record counts its own length in decimal digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return `${length} ${key}=${value}\n`;
}

/** The pieces of an archive, in the order of `items`, its end included. */
export function* writeTar(items: Iterable<TarItem>): Generator<Buffer> {
  for (const item of items) {
    const path = item.kind === 'folder' ? `${item.path.replace(/\/+$/, '')}/` : item.path;
    const link = item.kind === 'symlink' ? item.target : '';
    const pax = `${Buffer.byteLength(path) > 100 ? paxRecord('path', path) : ''}${Buffer.byteLength(link) > 100 ? paxRecord('linkpath', link) : ''}`;
    if (pax !== '') {
      const record = Buffer.from(pax);
      yield header('PaxHeader', 'x', 0o644, record.length, '');
      yield record;
      yield padding(record.length);
    }
    const size = item.kind === 'file' ? item.content.length : 0;
    yield header(path, typeFlag[item.kind], item.kind === 'symlink' ? 0o777 : item.mode, size, link);
    if (item.kind === 'file') {
      yield Buffer.from(item.content.buffer, item.content.byteOffset, item.content.length);
      yield padding(size);
    }
  }
  yield Buffer.alloc(2 * block);
}

/** The whole archive in memory; for what is small. */
export const tarOf = (items: Iterable<TarItem>): Buffer => Buffer.concat([...writeTar(items)]);
