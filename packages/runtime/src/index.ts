export { type Clock, SteppingClock, systemClock } from './clock.ts';
export { DespError, type ErrorDetails, type ErrorKind, formatPlace, messageOf, type SourcePlace, unreachable } from './errors.ts';
export { ExecError, type RunOptions, type RunResult, run, runOk } from './exec.ts';
export { bundleRecord, type Installation, installation, isBundleStale, sourcesDigest } from './installation.ts';
export { createLogger, type Logger, silentLogger } from './log.ts';
export { mask, registerSecret } from './mask.ts';
