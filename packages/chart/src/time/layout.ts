/** Go's time layouts: which pieces of the reference time (Mon Jan 2 15:04:05 MST 2006) stand in a text. */

export type Piece =
  | 'January'
  | 'Jan'
  | '1'
  | '01'
  | 'Monday'
  | 'Mon'
  | '2'
  | '_2'
  | '02'
  | '__2'
  | '002'
  | '15'
  | '3'
  | '03'
  | '4'
  | '04'
  | '5'
  | '05'
  | '2006'
  | '06'
  | 'PM'
  | 'pm'
  | 'MST'
  | 'Z0700'
  | 'Z070000'
  | 'Z07'
  | 'Z07:00'
  | 'Z07:00:00'
  | '-0700'
  | '-070000'
  | '-07'
  | '-07:00'
  | '-07:00:00';

/** A literal text, a piece, or a fraction of seconds such as `.000` or `.999`. */
export type LayoutItem = { readonly text: string } | { readonly piece: Piece } | { readonly fraction: string };

/** Longest first where one begins another. */
const pieces: readonly Piece[] = [
  'January',
  'Jan',
  'Monday',
  'Mon',
  'MST',
  '-07:00:00',
  '-070000',
  '-07:00',
  '-0700',
  '-07',
  'Z07:00:00',
  'Z070000',
  'Z07:00',
  'Z0700',
  'Z07',
  '2006',
  '__2',
  '002',
  '01',
  '02',
  '03',
  '04',
  '05',
  '06',
  '15',
  '_2',
  'PM',
  'pm',
  '1',
  '2',
  '3',
  '4',
  '5',
];

export function parseLayout(layout: string): LayoutItem[] {
  const items: LayoutItem[] = [];
  let text = '';
  for (let at = 0; at < layout.length; ) {
    const found = itemAt(layout, at);
    if (!found) {
      text += layout[at++];
      continue;
    }
    if (text !== '') items.push({ text });
    text = '';
    items.push(found.item);
    at += found.length;
  }
  if (text !== '') items.push({ text });
  return items;
}

function itemAt(layout: string, at: number): { item: LayoutItem; length: number } | undefined {
  const fraction = /^[.,](0+|9+)(?![0-9])/.exec(layout.slice(at));
  if (fraction) return { item: { fraction: fraction[0] }, length: fraction[0].length };
  // `_2006` is an underscore and a year.
  if (layout.startsWith('_2006', at)) return undefined;
  const piece = pieces.find((candidate) => layout.startsWith(candidate, at) && fits(candidate, layout, at));
  return piece && { item: { piece }, length: piece.length };
}

/** Words must not go on in small letters: `Janitor` is no month. */
function fits(piece: Piece, layout: string, at: number): boolean {
  const next = layout[at + piece.length] ?? '';
  return !((piece === 'Jan' || piece === 'Mon') && /[a-z]/.test(next));
}
