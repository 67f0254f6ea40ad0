import { type Logger, messageOf } from '@desp/runtime';

/** In this order they end, whatever the order in which they came up: who uses a part ends before it. */
export const stopOrder = [
  'api',
  'jobs',
  'controllers',
  'certificates',
  'secrets',
  'clusters',
  'registries',
  'git',
  'identity',
  'records',
  'container engine',
  'data folder',
] as const;

export type PartName = (typeof stopOrder)[number];

/** What runs, and how it is ended. Parts that do not need one another start at the same time. */
export interface Parts {
  /** Notes that a part starts. The caller gets the same promise back; a part that came up is ended by `stop`, also when another failed. */
  start<Part>(name: PartName, starting: Promise<Part>, end: (part: Part) => unknown): Promise<Part>;
  /** Waits for what is still starting, then ends all in order. What fails to end is logged, and holds up nobody. */
  stop(): Promise<void>;
}

export function createParts(log: Logger, onUp: (name: PartName) => void = () => {}): Parts {
  const ends = new Map<PartName, Promise<(() => unknown) | undefined>>();
  return {
    start(name, starting, end) {
      ends.set(
        name,
        starting.then(
          (part) => {
            onUp(name);
            return () => end(part);
          },
          // The caller is told.
          () => undefined,
        ),
      );
      return starting;
    },
    async stop() {
      for (const name of stopOrder) {
        try {
          await (await ends.get(name))?.();
        } catch (error) {
          log.warn({ part: name, error: messageOf(error) }, 'A part did not end well.');
        }
      }
    },
  };
}

/** Starts one for each item, all at the same time; when one fails, those that came up are ended, and its error is thrown. */
export async function startEach<Item, Part>(
  items: readonly Item[],
  start: (item: Item) => Promise<Part>,
  end: (part: Part) => Promise<unknown>,
): Promise<Part[]> {
  const outcomes = await Promise.allSettled(items.map(start));
  const up = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!failed) return up;
  await Promise.allSettled(up.map(end));
  throw failed.reason;
}
