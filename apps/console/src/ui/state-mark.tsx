import { type Look, lookOf, StateIcon } from './state-icon.tsx';
import styles from './state-mark.module.css';

/** A state as icon and word: never by colour alone. */
export function StateMark({ state, look = lookOf(state) }: { state: string; look?: Look }) {
  return (
    <span className={styles['mark']} data-tone={look.tone}>
      <StateIcon look={look} size={15} />
      {look.word}
    </span>
  );
}
