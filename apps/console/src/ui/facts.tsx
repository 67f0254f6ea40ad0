import styles from './facts.module.css';

/** Names and values, in that order; a value that is absent leaves its name out. */
export function Facts({ items }: { items: readonly (readonly [name: string, value: React.ReactNode])[] }) {
  return (
    <dl className={styles['facts']}>
      {items
        .filter(([, value]) => value !== undefined && value !== null && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** A digest or commit: short to read, whole in the title and to a screen reader's user who asks for it. */
export function ShortId({ id, length = 12 }: { id: string; length?: number }) {
  return <code title={id}>{id.replace(/^sha256:/, '').slice(0, length)}</code>;
}
