import type { GateLimits } from '@desp/model';

/** The limits that a verdict was made by, as a person reads them: one line. */
export function describeLimits(limits: GateLimits): string {
  const parts = [
    `a score above ${limits.scoreAbove.toFixed(1)} blocks`,
    ...(limits.labels.length ? [`${limits.labels.map((label) => label.toUpperCase()).join(' and ')} block`] : []),
    limits.unscored === 'block' ? 'what nobody scored blocks' : 'what nobody scored is listed',
    limits.unowned === 'list' ? 'what nobody owns is listed' : 'what nobody owns needs a signed acceptance',
    `advisories are at most ${limits.advisoryAgeDays} days old`,
  ];
  return `  limits: ${parts.join('; ')}\n`;
}
