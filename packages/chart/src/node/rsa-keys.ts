import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';

/**
 * Makes RSA keys, on two threads where a render wants many: charts that give each of their parts a certificate ask for forty.
 *
 * Principle: templates are synchronous, and nobody knows which key is the last. So a key is made ahead only while another one is
 * made here, and only when keys have already taken longer than a thread does to start: at most one is made for nothing.
 */
export class RsaKeys {
  /** Time that keys took since the event loop last turned, which it does not while a chart is rendered; in milliseconds. */
  #spent = 0;
  #ahead: KeysAhead | undefined;

  generate(bits: number): KeyObject {
    const ready = this.#ahead?.take(bits);
    if (ready) return ready;
    if (this.#spent === 0) setImmediate(() => this.#rest());
    if (this.#spent > threadTime) {
      this.#ahead ??= new KeysAhead();
      this.#ahead.ask(bits);
    }
    const started = performance.now();
    const key = generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
    this.#spent += performance.now() - started;
    return key;
  }

  /** The render is over, and with it the thread: idle ones are not kept, nor are keys. */
  #rest(): void {
    this.#spent = 0;
    this.#ahead?.end();
    this.#ahead = undefined;
  }
}

/** About twice what a thread takes to start, in milliseconds. */
const threadTime = 100;

/** A thread that makes keys. Where it cannot start it makes none, and nobody waits for it. */
class KeysAhead {
  readonly #thread: Worker;
  readonly #port: MessagePort;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#thread = new Worker(`(${makeKeys})()`, { eval: true, workerData: port2, transferList: [port2] });
    this.#thread.on('error', () => {});
    this.#thread.unref();
  }

  ask(bits: number): void {
    this.#port.postMessage(bits);
  }

  /** A key that is ready; one of another size is dropped. */
  take(bits: number): KeyObject | undefined {
    const key = (receiveMessageOnPort(this.#port) as { message: KeyObject } | undefined)?.message;
    return key?.asymmetricKeyDetails?.modulusLength === bits ? key : undefined;
  }

  end(): void {
    void this.#thread.terminate();
  }
}

/** What the thread runs: its text alone goes there. */
function makeKeys(): void {
  const { generateKeyPairSync: generate } = process.getBuiltinModule('node:crypto');
  const port = process.getBuiltinModule('node:worker_threads').workerData as MessagePort;
  port.on('message', (bits: number) => port.postMessage(generate('rsa', { modulusLength: bits }).privateKey));
}
