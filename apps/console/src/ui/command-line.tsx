import { Button } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import styles from './command-line.module.css';

/** A line to type, whole and ready to copy. */
export function CommandLine({ text, label }: { text: string; label: string }) {
  const clipboard = useClipboard({ timeout: 1_500 });
  return (
    <div className={styles['line']}>
      <code className={styles['text']}>{text}</code>
      <Button variant="subtle" size="compact-xs" aria-label={`Copy ${label}`} onClick={() => clipboard.copy(text)}>
        {clipboard.copied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  );
}
