/** `@desp/chart` and what it needs in a browser: one module without Node. */
export * from '../index.ts';
export { browserCrypto } from './crypto.ts';
