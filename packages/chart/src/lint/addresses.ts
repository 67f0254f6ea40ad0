/** Which texts pass for e-mail addresses and web addresses: the rules of Go's net/url and of the validator that Helm uses. */

const unicodeLetters = '\\u00a0-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\uffef';
const atomCharacters = new RegExp(`^[a-zA-Z0-9!#$%&'*+\\-/=?^_\`{|}~${unicodeLetters}]+$`, 'u');
const labelForm = new RegExp(`^[a-zA-Z0-9${unicodeLetters}](?:[a-zA-Z0-9\\-._~${unicodeLetters}]*[a-zA-Z0-9${unicodeLetters}])?$`, 'u');
const lastLabelForm = new RegExp(`^[a-zA-Z${unicodeLetters}](?:[a-zA-Z0-9\\-_~${unicodeLetters}]*[a-zA-Z${unicodeLetters}])?$`, 'u');
const quotedForm = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e\t]|\\[\x01-\x09\x0b-\x7f])*"$/;

/** Longest address that is looked at. */
const maxLength = 2083;

/** RFC 5322's addr-spec with a domain of at least two labels, the last of letters at both ends. */
export function isEmail(text: string): boolean {
  if (text.length > maxLength) return false;
  const at = text.lastIndexOf('@');
  if (at < 1) return false;
  const local = text.slice(0, at);
  if (!quotedForm.test(local) && !local.split('.').every((atom) => atomCharacters.test(atom))) return false;
  const labels = text
    .slice(at + 1)
    .replace(/\.$/, '')
    .split('.');
  const last = labels.pop() ?? '';
  return labels.length > 0 && lastLabelForm.test(last) && labels.every((label) => labelForm.test(label));
}

/** An absolute address with a scheme, as Go's url.ParseRequestURI reads it. */
export function isRequestUrl(text: string): boolean {
  const found = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/s.exec(text);
  if (!found || hasControl(text)) return false;
  const rest = found[2] as string;
  // `mailto:x` is opaque: nothing more is looked at.
  if (!rest.startsWith('/')) return true;
  const [path = ''] = rest.split('?');
  if (!path.startsWith('//')) return hasOnlyEscapes(path);
  const slash = path.indexOf('/', 2);
  const authority = slash < 0 ? path.slice(2) : path.slice(2, slash);
  return isAuthority(authority) && (slash < 0 || hasOnlyEscapes(path.slice(slash)));
}

const hasControl = (text: string): boolean => /[\0-\x1f\x7f]/.test(text);
const hasOnlyEscapes = (text: string): boolean => !/%(?![0-9a-fA-F]{2})/.test(text);

function isAuthority(text: string): boolean {
  const at = text.lastIndexOf('@');
  const user = at < 0 ? '' : text.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) || !hasOnlyEscapes(user)) return false;
  const host = text.slice(at + 1);
  if (host.startsWith('[')) return /^\[[^\]]+\](?::[0-9]*)?$/.test(host);
  const colon = host.lastIndexOf(':');
  if (colon >= 0 && !/^:[0-9]*$/.test(host.slice(colon))) return false;
  return !/[\s"<>\\^`{|}#[\]]/.test(host) && hasOnlyEscapes(host);
}

const schemeForm = /^(?:ftp|tcp|udp|wss?|https?):\/\//;

/** A web address with or without scheme, the host with at least a name: looser than {@link isRequestUrl}, and narrower in its schemes. */
export function isUrl(text: string): boolean {
  if (text.length <= 3 || text.length >= maxLength || text.startsWith('.') || hasControl(text) || /\s/.test(text)) return false;
  const rest = text.replace(schemeForm, '');
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  if (!hasOnlyEscapes(rest)) return false;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const found = /^(\[[0-9a-fA-F:.%]+\]|[^:[\]]*?)\.?(?::([0-9]{1,5}))?$/.exec(host);
  if (!found) return false;
  const name = found[1] as string;
  if (name.startsWith('[')) return true;
  if (name === '' || name.startsWith('.')) return false;
  // Without scheme and port, a plain word is no address.
  if (rest === text && !text.includes(':') && !text.includes('.')) return false;
  return /^[a-zA-Z0-9\u00a1-\uffff](?:[a-zA-Z0-9\u00a1-\uffff_.-]*[a-zA-Z0-9\u00a1-\uffff])?$/.test(name) && !name.includes('..');
}
