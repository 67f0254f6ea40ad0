export * from './node-access.ts';
