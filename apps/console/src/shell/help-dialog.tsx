import { Button, Switch } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { useEffect, useRef } from 'react';
import styles from './shell.module.css';

const keys = [
  ['Tab', 'from one thing to the next'],
  ['← →', 'on the line of stops: the stop before, the stop after'],
  ['Home End', 'on the line of stops: the first, the last'],
  ['Enter', 'open what has the focus'],
  ['Esc', 'close this help'],
] as const;

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');

/** The keyboard's help. The single key `?` can be switched off (WCAG 2.2, 2.1.4). */
export function HelpDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [byKey, setByKey] = useLocalStorage({ key: 'desp.help-by-key', defaultValue: true });
  useEffect(() => {
    if (!byKey) return;
    const open = (event: KeyboardEvent) => {
      if (event.key === '?' && !typing(event.target) && !event.ctrlKey && !event.metaKey && !dialog.current?.open)
        dialog.current?.showModal();
    };
    document.addEventListener('keydown', open);
    return () => document.removeEventListener('keydown', open);
  }, [byKey]);
  return (
    <>
      <button type="button" className={styles['plain']} onClick={() => dialog.current?.showModal()}>
        Keys
      </button>
      <dialog ref={dialog} className={styles['help']} aria-labelledby="help-title">
        <h2 id="help-title">By keyboard</h2>
        <dl>
          {keys.map(([key, what]) => (
            <div key={key}>
              <dt>
                {key.split(' ').map((one) => (
                  <kbd key={one}>{one}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <Switch label="Open this help with ?" checked={byKey} onChange={(event) => setByKey(event.currentTarget.checked)} />
        <Button variant="default" onClick={() => dialog.current?.close()}>
          Close
        </Button>
      </dialog>
    </>
  );
}
