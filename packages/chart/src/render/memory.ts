import type { Tree } from '../language/nodes.ts';
import { Phrases } from '../language/phrases.ts';
import type { Chart } from '../loader/chart.ts';
import type { ProfileName } from '../profile.ts';
import { Again } from './again/again.ts';
import type { Head } from './manifests.ts';

/**
 * What one render of a chart leaves for the next: results that depend on a text alone, by that text, and what files printed
 * whose templates read nothing that differs (again/again.ts).
 *
 * It is kept with the chart (the object that `loadChart` made) and goes with it.
 */
export class RenderMemory {
  /** Heads of documents that templates printed. */
  readonly heads = new Recent<Head>();
  #again: Again | undefined;
  readonly #phrases = new Map<ProfileName, Phrases>();
  readonly #texts = new Map<ProfileName, Recent<ReadonlyMap<string, Tree>>>();

  /** What files printed. */
  get again(): Again {
    this.#again ??= new Again();
    return this.#again;
  }

  /** Parsed texts of `tpl`; which names are functions differs between profiles. */
  texts(profile: ProfileName): Recent<ReadonlyMap<string, Tree>> {
    const known = this.#texts.get(profile);
    if (known) return known;
    const made = new Recent<ReadonlyMap<string, Tree>>();
    this.#texts.set(profile, made);
    return made;
  }

  /** Actions of the chart's templates. */
  phrases(profile: ProfileName): Phrases {
    const known = this.#phrases.get(profile);
    if (known) return known;
    const made = new Phrases();
    this.#phrases.set(profile, made);
    return made;
  }

  /** A render begins: forgets what the last one did not use. */
  turn(): void {
    this.heads.turn();
    for (const texts of this.#texts.values()) texts.turn();
  }
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
