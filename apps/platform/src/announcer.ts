/** Tells who listens in this process that a delivery changed; the records are the truth, this only says "look". */
export interface Announcer {
  announce(delivery: number): void;
  /** @returns how to stop listening */
  listen(onChange: (delivery: number) => void): () => void;
}

export function createAnnouncer(): Announcer {
  const listeners = new Set<(delivery: number) => void>();
  return {
    announce(delivery) {
      for (const listener of listeners) listener(delivery);
    },
    listen(onChange) {
      listeners.add(onChange);
      return () => listeners.delete(onChange);
    },
  };
}
