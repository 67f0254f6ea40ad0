/**
 * A shell line as its simple commands: enough of the POSIX shell's grammar (XCU 2.2, 2.3) to find a command and read its words,
 * and to know where that is not possible. Nothing is run.
 */
export interface ShellWord {
  /** What the shell would make of it, variables expanded. */
  readonly text: string;
  /** Only the running script knows what it becomes: a substitution, or a variable that nobody has set yet. */
  readonly unknown: boolean;
}

export type ShellCommand = readonly ShellWord[];

const separators = new Set(['\n', ';', '&', '|', '(', ')', '<', '>']);

/** The simple commands of a script's line or lines, in order. Never throws; an open quote makes its word unknown. */
export function shellCommands(script: string, variables: Readonly<Record<string, string>>): ShellCommand[] {
  const commands: ShellWord[][] = [];
  let words: ShellWord[] = [];
  let text = '';
  let unknown = false;
  let inWord = false;
  let at = 0;

  const endWord = () => {
    if (inWord) words.push({ text, unknown });
    [text, unknown, inWord] = ['', false, false];
  };
  const endCommand = () => {
    endWord();
    if (words.length > 0) commands.push(words);
    words = [];
  };
  /** Reads what begins with `$`. */
  const expand = () => {
    inWord = true;
    const name = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/.exec(script.slice(at, at + 130));
    const key = name?.[1] ?? name?.[2];
    if (!name || key === undefined || variables[key] === undefined) {
      unknown = true;
      text += '$';
      at += 1;
    } else {
      text += variables[key];
      at += name[0].length;
    }
  };
  const single = () => {
    const end = script.indexOf("'", at + 1);
    inWord = true;
    unknown ||= end < 0;
    text += script.slice(at + 1, end < 0 ? undefined : end);
    at = end < 0 ? script.length : end + 1;
  };
  const double = () => {
    inWord = true;
    at += 1;
    while (at < script.length && script[at] !== '"') {
      const char = script[at] as string;
      if (char === '$') expand();
      else if (char === '\\' && /[$`"\\\n]/.test(script[at + 1] ?? '')) {
        if (script[at + 1] !== '\n') text += script[at + 1];
        at += 2;
      } else {
        unknown ||= char === '`';
        text += char;
        at += 1;
      }
    }
    unknown ||= at >= script.length;
    at += 1;
  };

  while (at < script.length) {
    const char = script[at] as string;
    if (char === "'") single();
    else if (char === '"') double();
    else if (char === '$') expand();
    else if (char === '\\') {
      if (script[at + 1] !== '\n') {
        inWord = true;
        text += script[at + 1] ?? '';
      }
      at += 2;
    } else if (char === '#' && !inWord) {
      const end = script.indexOf('\n', at);
      at = end < 0 ? script.length : end;
    } else if (separators.has(char)) {
      endCommand();
      at += 1;
    } else if (/\s/.test(char)) {
      endWord();
      at += 1;
    } else {
      inWord = true;
      unknown ||= char === '`';
      text += char;
      at += 1;
    }
  }
  endCommand();
  return commands;
}
