import alpine from '../../advisories/alpine.json' with { type: 'json' };
import debian from '../../advisories/debian-12.json' with { type: 'json' };
import go from '../../advisories/go.json' with { type: 'json' };
import npm from '../../advisories/npm.json' with { type: 'json' };
import pypi from '../../advisories/pypi.json' with { type: 'json' };
import { type AdvisoryDatabase, parseAdvisoryFile } from './advisory-set.ts';

/** The committed selection for rehearsals; see its README for what it is not. */
export const rehearsalAdvisories = (): AdvisoryDatabase[] => [npm, debian, alpine, go, pypi].map(parseAdvisoryFile);
