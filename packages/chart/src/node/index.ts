/** What `@desp/chart` needs of Node: folders, archives, cryptography. */
export { readChartArchive } from './archive.ts';
export { nodeCrypto } from './crypto.ts';
export { loadChartFrom, readChartFolder } from './folder.ts';
export { readLintArchive, readLintFolder } from './lint-folder.ts';
