import type { JobLog } from '@desp/model';

export interface LogText {
  readonly lines: readonly string[];
  /** True when the beginning was left out to bound the browser's memory. */
  readonly cut: boolean;
  /** Whether the last line is still being written. */
  readonly open: boolean;
}

export const emptyLog: LogText = { lines: [], cut: false, open: false };

const mostLines = 5_000;
const longestLine = 4_000;
/** Colours and cursor moves of terminals (ECMA-48, section 5.4): programs write them, the page does not need them. */
const terminalCodes = /\u001b\[[0-?]*[ -/]*[@-~]/g;

/** The log with the next piece added; keeps the last 5,000 lines, each to 4,000 characters. A carriage return begins its line anew. */
export function appendLog(log: LogText, text: string): LogText {
  if (text === '') return log;
  const [first = '', ...more] = text.replaceAll('\r\n', '\n').replace(terminalCodes, '').split('\n');
  const lines = log.open ? [...log.lines.slice(0, -1), (log.lines.at(-1) ?? '') + first, ...more] : [...log.lines, first, ...more];
  const open = lines.at(-1) !== '';
  const shown = (open ? lines : lines.slice(0, -1)).map((line) =>
    line.slice(line.lastIndexOf('\r', line.length - 2) + 1).slice(0, longestLine),
  );
  return { lines: shown.slice(-mostLines), cut: log.cut || shown.length > mostLines, open };
}

export interface FollowLogOptions {
  readonly read: (from: number, signal: AbortSignal) => Promise<JobLog>;
  readonly onText: (text: string, ended: boolean) => void;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

const everyMs = 1_000;

/** Reads a log from its beginning to its end; throws what `read` throws. One more read after the end catches what came with it. */
export async function followLog({ read, onText, wait, signal }: FollowLogOptions): Promise<void> {
  let from = 0;
  for (let last = false; !signal.aborted; ) {
    const piece = await read(from, signal);
    if (signal.aborted) return;
    from = piece.next;
    onText(piece.text, piece.ended);
    if (last) return;
    last = piece.ended;
    if (!last) await wait(everyMs, signal);
  }
}
