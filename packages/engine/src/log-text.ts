import { StringDecoder } from 'node:string_decoder';
import { mask } from '@desp/runtime';
import { MaskingStream } from './masking-stream.ts';

/** A line longer than this is shown in pieces. */
const maxHeld = 16 * 1024;

/**
 * Turns the bytes that a container prints into text to show: whole characters, whole lines, secrets hidden. The given
 * secrets are hidden wherever a cut falls, those registered with the runtime within a line.
 */
export class LogText {
  readonly #decoder = new StringDecoder('utf8');
  readonly #masking: MaskingStream;
  readonly #onText: (text: string) => void;
  #held = '';

  constructor(secrets: readonly string[], onText: (text: string) => void) {
    this.#masking = new MaskingStream(secrets);
    this.#onText = onText;
  }

  push(chunk: Buffer): void {
    this.#held += this.#masking.push(this.#decoder.write(chunk));
    const end = this.#held.length > maxHeld ? this.#held.length : this.#held.lastIndexOf('\n') + 1;
    this.#show(end);
  }

  end(): void {
    this.#held += this.#masking.push(this.#decoder.end()) + this.#masking.end();
    this.#show(this.#held.length);
  }

  #show(end: number): void {
    if (end === 0) return;
    const text = mask(this.#held.slice(0, end));
    this.#held = this.#held.slice(end);
    this.#onText(text);
  }
}
