import type { GateRules } from '@desp/model';

/** Limits for this package's tests; what the platform judges by is data of its profile. */
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
