import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { ProfileName, RenderResult } from '@desp/chart';
import { run } from '@desp/runtime';
import type { Flags } from './flags.ts';
import { HelmError } from './helm-command.ts';

/**
 * `--post-renderer PROGRAM`, as Helm 3 has it: the program reads the manifests, hooks left out, and prints what stands
 * for them. It is the user's own program and runs with the user's own rights and environment. Helm 4 takes the name of
 * a plugin instead.
 *
 * @returns the program's path. @throws HelmError where it cannot be run
 */
export function postRendererOf(flags: Flags, helm: ProfileName): string {
  const name = flags.text('post-renderer') ?? '';
  if (helm === 'helm4')
    throw new HelmError(
      `--post-renderer ${name} is not supported: Helm 4 takes the name of a plugin, and plugins are not run here; use --helm 3 with a program, or pipe the output into it`,
    );
  return findProgram(name);
}

/** @returns what the program printed */
export async function postRender(result: RenderResult, program: string, flags: Flags): Promise<string> {
  const text = [...result.crds, ...result.manifests].map(({ source, content }) => `---\n# Source: ${source}\n${content}\n`).join('');
  const { code, stdout, stderr } = await run([program, ...flags.texts('post-renderer-args')], {
    stdin: text,
    maxBytes: 64 * 1024 * 1024,
    timeoutMs: 600_000,
    env: Object.fromEntries(Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined)),
  });
  if (code === 0) return stdout.toString('utf8');
  throw new HelmError(
    `error while running post render on files: error while running command ${program}. error output:\n${stderr}: exit status ${code}\n\nUse --debug flag to render out invalid YAML`,
  );
}

/** A name with a slash is a path, another is looked for in PATH. */
function findProgram(name: string): string {
  const places = name.includes('/') ? [resolve(name)] : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  const found = places.find(isProgram);
  if (found) return found;
  const why = name.includes('/') ? `stat ${name}: no such file or directory` : 'executable file not found in $PATH';
  throw new HelmError(
    `invalid argument ${JSON.stringify(name)} for "--post-renderer" flag: unable to find binary at ${name}: exec: ${JSON.stringify(name)}: ${why}`,
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
