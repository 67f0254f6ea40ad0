import type { Tree } from '../language/nodes.ts';
import { Phrases } from '../language/phrases.ts';
import type { Chart } from '../loader/chart.ts';
import type { ProfileName } from '../profile.ts';
import { Again } from './again/again.ts';
import type { PrintedFile } from './manifests.ts';

/**
 * What one render of a chart leaves for the next: results that depend on a text alone, by that text, and what files printed
 * whose templates read nothing that differs (again/again.ts).
 *
 * It is kept with the chart (the object that `loadChart` made) and goes with it.
 */
export class RenderMemory {
  #again: Again | undefined;
  readonly #phrases = new Map<ProfileName, Phrases>();
  readonly #texts = new Map<ProfileName, Recent<ReadonlyMap<string, Tree>>>();
  readonly #printed = new Map<ProfileName, Recent<PrintedFile>>();

  /** What files printed. */
  get again(): Again {
    this.#again ??= new Again();
    return this.#again;
  }

  /** Parsed texts of `tpl`; which names are functions differs between profiles. */
  texts(profile: ProfileName): Recent<ReadonlyMap<string, Tree>> {
    return entry(this.#texts, profile, () => new Recent());
  }

  /** Documents of what templates printed, by all that one printed. */
  printed(profile: ProfileName): Recent<PrintedFile> {
    return entry(this.#printed, profile, () => new Recent());
  }

  /** Actions of the chart's templates. */
  phrases(profile: ProfileName): Phrases {
    return entry(this.#phrases, profile, () => new Phrases());
  }

  /** A render begins: forgets what the last one did not use. */
  turn(): void {
    for (const texts of this.#texts.values()) texts.turn();
    for (const files of this.#printed.values()) files.turn();
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** A map that keeps what was used since the turn before the last one: never more than two renders' worth. */
class Recent<V> {
  #last = new Map<string, V>();
  #now = new Map<string, V>();

  get(key: string): V | undefined {
    const known = this.#now.get(key);
    if (known !== undefined) return known;
    const older = this.#last.get(key);
    if (older !== undefined) this.#now.set(key, older);
    return older;
  }

  set(key: string, value: V): void {
    this.#now.set(key, value);
  }

  turn(): void {
    this.#last = this.#now;
    this.#now = new Map();
  }
}

const memories = new WeakMap<Chart, RenderMemory>();

/** The chart's memory, at the beginning of a render. */
export function recall(chart: Chart): RenderMemory {
  const memory = memories.get(chart) ?? new RenderMemory();
  memories.set(chart, memory);
  memory.turn();
  return memory;
}
