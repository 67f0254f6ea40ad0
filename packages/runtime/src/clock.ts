/** Time comes in from outside, so that a test can move it and nobody reads the machine's clock in a pure package. */
export interface Clock {
  /** Wall-clock time. */
  now(): Date;
  /** Milliseconds since some fixed moment; never goes backwards. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds, or rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal?.addEventListener('abort', stop, { once: true });
    }),
};

/** A clock that a test steps by hand; sleepers wake in order of their time. */
export class SteppingClock implements Clock {
  #elapsed = 0;
  #start: number;
  #sleepers: { at: number; wake: () => void }[] = [];

  constructor(start: Date | string = '2026-01-01T00:00:00Z') {
    this.#start = new Date(start).getTime();
  }

  now(): Date {
    return new Date(this.#start + this.#elapsed);
  }

  monotonic(): number {
    return this.#elapsed;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { at: this.#elapsed + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
    });
  }

  /** Moves time on and wakes whom it passes. */
  step(ms: number): void {
    this.#elapsed += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#elapsed).sort((a, b) => a.at - b.at);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#elapsed);
    for (const sleeper of due) sleeper.wake();
  }

  /** Sets the wall clock, backwards too; the monotonic clock stays as it is. */
  setWall(date: Date | string): void {
    this.#start = new Date(date).getTime() - this.#elapsed;
  }
}
