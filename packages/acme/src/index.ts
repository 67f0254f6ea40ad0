export { type AcmeClient, type AcmeClientOptions, createAcmeClient } from './acme-client.ts';
export { type AcmeServer, type AcmeServerOptions, createAcmeServer } from './acme-server.ts';
export { AcmeError, type AcmeErrorCode } from './errors.ts';
export { fetchChallengeAt } from './fetch-challenge.ts';
export type { FetchChallenge } from './orders.ts';
