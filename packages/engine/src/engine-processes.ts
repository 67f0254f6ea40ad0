import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

const programs = ['podman', 'conmon', 'runc', 'netavark', 'aardvark-dns', 'buildah'];

/**
 * The engine's processes that work on the store below `folder`: an `exec` through the API leaves a `conmon` for five minutes, and
 * it holds the folder. A process is known by its program and by an argument below the store's folder, never by either alone.
 */
export function storeProcesses(folder: string): number[] {
  return otherProcesses().filter((pid) => {
    const [program = '', ...args] = argumentsOf(pid);
    return programs.includes(basename(program)) && args.some((argument) => argument.includes(`${folder}/`));
  });
}

/** Processes inside containers of the store, also when nobody watches them any more: those whose root is an overlay of its layers. */
export function containerProcesses(folder: string): number[] {
  const ours = linkOf('/proc/self/ns/mnt');
  return otherProcesses().filter((pid) => {
    const theirs = linkOf(`/proc/${pid}/ns/mnt`);
    if (theirs === undefined || theirs === ours) return false;
    const root = textOf(`/proc/${pid}/mountinfo`)
      .split('\n')
      .find((line) => line.split(' ')[4] === '/');
    return root !== undefined && / - overlay /.test(root) && unescaped(root).includes(`=${folder}/`);
  });
}

export const argumentsOf = (pid: number): string[] => textOf(`/proc/${pid}/cmdline`).split('\0');

/** As the kernel writes paths into mountinfo(5). */
export const unescaped = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

const otherProcesses = (): number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid);

/** Empty for a process that ended meanwhile. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
