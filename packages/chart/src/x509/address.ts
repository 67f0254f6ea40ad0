/** The bytes of an IP address. @throws Error with sprig's words for what is none */
export function addressBytes(ip: string): Uint8Array {
  const four = fourBytes(ip);
  if (four) return Uint8Array.from(four);
  const words = sixteenBitWords(ip);
  if (!words) throw new Error(`error parsing ip: ${ip}`);
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));
}

function fourBytes(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.map(Number);
}

/** An IPv6 address; `::` stands for as many zeros as are missing, the last two words may be written as IPv4. */
function sixteenBitWords(ip: string): number[] | undefined {
  const tail = ip.slice(ip.lastIndexOf(':') + 1);
  const four = tail.includes('.') ? fourBytes(tail) : undefined;
  if (tail.includes('.') && !four) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = four ?? [];
  const text = four ? `${ip.slice(0, -tail.length)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}` : ip;
  const halves = text.split('::');
  if (halves.length > 2 || !text.includes(':')) return undefined;
  const [front = [], back = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (![...front, ...back].every((word) => /^[0-9a-fA-F]{1,4}$/.test(word))) return undefined;
  const missing = 8 - front.length - back.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...front, ...new Array<string>(missing).fill('0'), ...back].map((word) => Number.parseInt(word, 16));
}
