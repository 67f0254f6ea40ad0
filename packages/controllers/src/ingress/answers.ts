import { type ServerResponse, STATUS_CODES } from 'node:http';

/** The proxy's own answers: one plain sentence. */

export function answerPlainly(response: ServerResponse, status: number, sentence: string, headers: Record<string, string> = {}): void {
  if (response.headersSent || response.destroyed) return;
  const text = `${status} ${STATUS_CODES[status]}: ${sentence}\n`;
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(text), ...headers });
  response.end(text);
}

/** The same for a connection that has left HTTP's normal way. */
export function socketAnswer(status: number, sentence: string): string {
  const text = `${status} ${STATUS_CODES[status]}: ${sentence}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
  ];
  return [...head, 'connection: close', '', text].join('\r\n');
}
