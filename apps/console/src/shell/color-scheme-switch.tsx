import { type MantineColorScheme, useMantineColorScheme } from '@mantine/core';
import styles from './shell.module.css';

const choices: readonly { value: MantineColorScheme; label: string }[] = [
  { value: 'auto', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

export function ColorSchemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <label className={styles['scheme']}>
      <span className="hidden">Colours</span>
      <select value={colorScheme} onChange={(event) => setColorScheme(event.currentTarget.value as MantineColorScheme)}>
        {choices.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}
