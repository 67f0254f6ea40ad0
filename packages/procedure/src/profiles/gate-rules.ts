import type { GateRules } from '@desp/model';

/**
 * Both profiles judge alike. Decisions 2026-11-22-cvss-seven (two clauses, not one threshold) and
 * 2026-11-22-ages-of-advisories (a rehearsal lives with its dated set, production asks for fresh data and for an acceptance).
 */
export const gateRules: GateRules = {
  scoreAbove: 7,
  labels: ['high', 'critical'],
  unscored: 'block',
  uncovered: 'incomplete',
  entries: {
    direct: { unowned: 'list', advisoryAgeDays: 730, reportAgeDays: 30 },
    promotion: { unowned: 'acceptance-required', advisoryAgeDays: 7, reportAgeDays: 7 },
  },
};
