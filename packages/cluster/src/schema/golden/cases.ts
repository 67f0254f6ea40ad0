import { defaultsCases } from './defaults-cases.ts';
import { ownershipCases } from './ownership-cases.ts';
import type { Case } from './request.ts';
import { validationCases } from './validation-cases.ts';

/**
 * Requests whose answers a real kube-apiserver gave once (`answers.json`, made by `record.ts`), as our own small inputs.
 * `golden.test.ts` plays them against this room and compares.
 */
export const cases: readonly Case[] = [...defaultsCases, ...validationCases, ...ownershipCases];
