import type { JobState, StopState } from '@desp/model';

/** What a state looks like: five tones are enough for stops, jobs, deliveries, verdicts and deployments alike. */
export type Tone = 'passed' | 'failed' | 'blocked' | 'running' | 'waiting';
export type Shape = 'check' | 'cross' | 'hand' | 'turning' | 'open' | 'dash' | 'slash';

export interface Look {
  readonly tone: Tone;
  readonly shape: Shape;
  readonly word: string;
}

const passed = (word: string): Look => ({ tone: 'passed', shape: 'check', word });
const failed = (word: string): Look => ({ tone: 'failed', shape: 'cross', word });
const running = (word: string): Look => ({ tone: 'running', shape: 'turning', word });
const blocked = (word: string): Look => ({ tone: 'blocked', shape: 'hand', word });
const waiting = (word: string): Look => ({ tone: 'waiting', shape: 'open', word });
const skipped = (word: string): Look => ({ tone: 'waiting', shape: 'dash', word });
const canceled = (word: string): Look => ({ tone: 'waiting', shape: 'slash', word });

const looks: Readonly<Record<string, Look>> = {
  passed: passed('passed'),
  success: passed('passed'),
  pass: passed('pass'),
  ready: passed('ready'),
  failed: failed('failed'),
  running: running('running'),
  preparing: running('preparing'),
  deploying: running('deploying'),
  pending: waiting('queued'),
  created: waiting('waiting'),
  waiting: waiting('waiting'),
  blocked: blocked('blocked'),
  manual: blocked('by hand'),
  incomplete: blocked('incomplete'),
  skipped: skipped('skipped'),
  superseded: skipped('superseded'),
  canceled: canceled('canceled'),
} satisfies Record<StopState | JobState | string, Look>;

/** The look of any state word of the API; one that is newer than this console shows as itself. */
export const lookOf = (state: string): Look => looks[state] ?? waiting(state);

/** A blocked verdict is the gate's no, while a blocked stop waits for somebody. */
export const verdictLook = (outcome: string): Look => (outcome === 'blocked' ? failed('blocked') : lookOf(outcome));

const strokes: Readonly<Record<Shape, React.ReactNode>> = {
  check: <path d="m5.5 10.5 3 3 6-7" />,
  cross: <path d="m6.5 6.5 7 7m0-7-7 7" />,
  hand: <path d="M10 5.5v5.5m0 3.4v.1" />,
  turning: <path d="M10 4.5a5.5 5.5 0 1 1-5.5 5.5" />,
  open: <circle cx="10" cy="10" r="2.4" />,
  dash: <path d="M6 10h8" />,
  slash: <path d="m6.5 13.5 7-7" />,
};

export function StateIcon({ look, size = 20 }: { look: Look; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      data-shape={look.shape}
    >
      {strokes[look.shape]}
    </svg>
  );
}
