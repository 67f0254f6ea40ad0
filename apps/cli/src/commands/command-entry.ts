import type { Command, RawCommand } from '../command.ts';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Left out of the overview: a pipeline's job calls it, not a person. */
  readonly hidden?: boolean;
  readonly load: () => Promise<Command | RawCommand>;
}
