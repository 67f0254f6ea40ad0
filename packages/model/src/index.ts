export * from './api.ts';
export * from './config.ts';
export * from './delivery.ts';
export * from './ids.ts';
export * from './image-reference.ts';
export * from './label-selector.ts';
export * from './security.ts';
export * from './semver.ts';
