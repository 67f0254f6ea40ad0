import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

/**
 * How Git's hooks ask the server.
 *
 * Principle: the server starts each receiving process with one end of a socket pair as descriptor 3, which Git hands down
 * to its hooks. So the hook is a few lines of sh that need no client program, no address and no secret, and the server
 * knows who pushes because the channel belongs to that request alone. (A named unix socket was rejected: it needs a
 * client in sh, and a token to tell pushes apart.) A server that is gone reads as end of file: the push is refused.
 */
const hookScript = `#!/bin/sh
# Written by the DESP Git host at every start. Says what Git told it, then does what the host answers.
{
  printf 'hook %s\\n' "\${0##*/}"
  printf 'env GIT_OBJECT_DIRECTORY=%s\\n' "$GIT_OBJECT_DIRECTORY"
  printf 'env GIT_ALTERNATE_OBJECT_DIRECTORIES=%s\\n' "$GIT_ALTERNATE_OBJECT_DIRECTORIES"
  printf 'env GIT_QUARANTINE_PATH=%s\\n' "$GIT_QUARANTINE_PATH"
  while read -r old new ref; do printf 'ref %s %s %s\\n' "$old" "$new" "$ref"; done
  printf 'end\\n'
} >&3 || exit 1
while IFS= read -r line <&3; do
  case $line in
    accept) exit 0 ;;
    reject) exit 1 ;;
    'say '*) printf '%s\\n' "\${line#say }" >&2 ;;
  esac
done
echo 'GitLab: The server went away before it decided. Push again.' >&2
exit 1
`;

/** Writes the hooks; returns the folder for `core.hooksPath`. */
export function installHooks(root: string): string {
  const folder = join(root, 'hooks');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of ['pre-receive', 'post-receive']) {
    writeFileSync(join(folder, name), hookScript);
    chmodSync(join(folder, name), 0o700);
  }
  return folder;
}

/** What a hook says: Git's own lines, before anything was checked. */
export interface HookQuestion {
  readonly hook: 'pre-receive' | 'post-receive';
  /** Where the pushed objects wait; only before the decision. */
  readonly quarantine: Readonly<Record<string, string>>;
  readonly updates: readonly { readonly old: string; readonly new: string; readonly ref: string }[];
}

export interface HookAnswer {
  readonly accept: boolean;
  /** Lines that the pusher sees behind `remote:`. */
  readonly say: readonly string[];
}

const maxQuestionBytes = 2 * 1024 * 1024;
const updateLine = /^ref ([0-9a-f]{40}) ([0-9a-f]{40}) (refs\/\S+)$/;
const settingLine = /^env (GIT_OBJECT_DIRECTORY|GIT_ALTERNATE_OBJECT_DIRECTORIES|GIT_QUARANTINE_PATH)=(.*)$/;

/** Reads one question; undefined when a line is not of the form that our hook writes. */
export function parseHookQuestion(text: string): HookQuestion | undefined {
  const [first, ...rest] = text.split('\n');
  if (first !== 'hook pre-receive' && first !== 'hook post-receive') return undefined;
  const quarantine: Record<string, string> = {};
  const updates: { old: string; new: string; ref: string }[] = [];
  for (const line of rest) {
    const [, name, value] = settingLine.exec(line) ?? [];
    const [, old, next, ref] = updateLine.exec(line) ?? [];
    if (name !== undefined && value !== undefined) {
      if (value !== '') quarantine[name] = value;
    } else if (old !== undefined && next !== undefined && ref !== undefined) updates.push({ old, new: next, ref });
    else return undefined;
  }
  return { hook: first === 'hook pre-receive' ? 'pre-receive' : 'post-receive', quarantine, updates };
}

/** Answers the hooks of one receiving process, one after the other; whatever goes wrong is a refusal. */
export function answerHooks(channel: Duplex, decide: (question: HookQuestion) => Promise<HookAnswer>): void {
  let pending = Buffer.alloc(0);
  let broken = false;
  const refuse = (why: string) => {
    broken = true;
    channel.end(`say ${why}\nreject\n`);
  };
  const answer = async (text: string) => {
    const question = parseHookQuestion(text);
    if (!question) return refuse('GitLab: The push could not be read.');
    const { accept, say } = await decide(question);
    const told = say.flatMap((entry) => entry.split('\n')).map((line) => `say ${line.replace(/[\u0000-\u001f\u007f]/g, ' ')}\n`);
    if (!channel.destroyed) channel.write(`${told.join('')}${accept ? 'accept' : 'reject'}\n`);
  };
  channel.on('error', () => {});
  channel.on('data', (chunk: Buffer) => {
    if (broken) return;
    pending = Buffer.concat([pending, chunk]);
    const end = pending.indexOf('\nend\n');
    if (end >= 0) {
      const text = pending.subarray(0, end).toString('utf8');
      pending = pending.subarray(end + 5);
      answer(text).catch(() => refuse('GitLab: The push could not be judged. Try again.'));
    } else if (pending.length > maxQuestionBytes) refuse('GitLab: The push changes too many refs at once.');
  });
}
