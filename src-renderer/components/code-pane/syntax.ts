export type TokenKind = 'keyword' | 'comment' | 'literal' | 'plain';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const TOKEN =
  /(?<comment>#.*)|(?<literal>"[^"]*"|\b\d[\d.e-]*\b)|(?<keyword>\b(?:for|in|with|as|class|def|True|False)\b)/gu;

/** Parts a line of Python for quiet colouring; the texts of the tokens make up the line again. */
export function tokensOf(line: string): readonly Token[] {
  const tokens: Token[] = [];
  let from = 0;
  for (const { index, 0: text, groups } of line.matchAll(TOKEN)) {
    if (index > from) tokens.push({ kind: 'plain', text: line.slice(from, index) });
    const kind =
      groups?.['comment'] !== undefined
        ? 'comment'
        : groups?.['literal'] !== undefined
          ? 'literal'
          : 'keyword';
    tokens.push({ kind, text });
    from = index + text.length;
  }
  if (from < line.length) tokens.push({ kind: 'plain', text: line.slice(from) });
  return tokens;
}
