/** What `@desp/chart` needs of Node: folders, archives, cryptography. */
export { readChartArchive } from './archive.ts';
export { nodeCrypto } from './crypto.ts';
export { loadChartFrom, readChartFolder } from './folder.ts';
export { readLintArchive, readLintFolder } from './lint-folder.ts';
export type { SignRequest, Verification } from './provenance.ts';
export { archiveChart, type SaveOptions, saveChart, writeWhole } from './save-chart.ts';

/** Signing and verifying; the OpenPGP library behind it is large and loaded only here. */
export const openProvenance = (): Promise<Pick<typeof import('./provenance.ts'), 'signArchive' | 'verifyArchive'>> =>
  import('./provenance.ts');
