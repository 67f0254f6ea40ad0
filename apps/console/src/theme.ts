import { createTheme, type MantineColorsTuple } from '@mantine/core';

/** One accent, a quiet blue; everything else is grey, and colour is kept for states. */
const accent: MantineColorsTuple = [
  '#eef3fc',
  '#dbe5f8',
  '#b5c9f0',
  '#8cabe7',
  '#698fdd',
  '#4f79d2',
  '#3a65c4',
  '#264fa8',
  '#1f4290',
  '#183471',
];

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  colors: { accent },
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  defaultRadius: 'md',
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
});
