/** Server-sent events (HTML Living Standard, section 9.2.6) from pieces of text; only `event` and `data` matter here. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

const mostCharacters = 4 * 1024 * 1024;

/**
 * Returns a function that takes the next piece of the stream and gives the events that it completed. A piece may end anywhere.
 * Throws RangeError when one event grows past 4 MiB.
 */
export function createEventParser(): (piece: string) => ServerEvent[] {
  let rest = '';
  let event = '';
  let data: string[] = [];
  let size = 0;
  return (piece) => {
    const events: ServerEvent[] = [];
    rest += piece;
    // A CR at the very end may be half of a CRLF: it waits for the next piece.
    const held = rest.endsWith('\r') ? '\r' : '';
    const lines = (held ? rest.slice(0, -1) : rest).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? '') + held;
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) events.push({ event: event || 'message', data: data.join('\n') });
        event = '';
        data = [];
        size = 0;
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') event = value;
      if (field === 'data') {
        data.push(value);
        size += value.length;
      }
    }
    if (size + rest.length > mostCharacters) throw new RangeError('An event of the stream is longer than 4 MiB.');
    return events;
  };
}
