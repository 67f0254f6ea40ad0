import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { command } from './commands/chart.ts';
import { main } from './main.ts';
// In the first file that is loaded, not in one of its own: `desp chart template` is what counts.
import './commands/chart/global-flags.ts';
import './commands/chart/helm-command.ts';
import './commands/chart/template.ts';

/**
 * `desp chart …` on its own: what `entry.ts` does, in a bundle that holds no other command. bin/desp-chart.cjs runs it.
 *
 * @param argv what follows `desp chart`
 * @returns whether all is written, so that the process may end at once with its exit code
 */
export async function runChartCommand(argv: readonly string[]): Promise<boolean> {
  process.exitCode = await main(
    ['chart', ...argv],
    {
      out: (text) => write(1, text),
      err: (text) => write(2, text),
      env: process.env,
      cwd: process.cwd(),
      get terminal() {
        return isatty(1);
      },
      get errorTerminal() {
        return isatty(2);
      },
    },
    [{ name: 'chart', summary: command.summary, load: async () => command }],
  );
  return !isWaiting;
}

/** Whether a stream still has to write. */
let isWaiting = false;

/** Writes to a descriptor itself: Node's streams for it take longer to load than a small chart to render. */
function write(descriptor: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The reader has gone, as `head` does when it has enough.
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw error;
      // Somebody made it non-blocking: its stream waits.
      isWaiting = true;
      (descriptor === 1 ? process.stdout : process.stderr).write(bytes.subarray(written));
      return;
    }
  }
}
