/**
 * The first name that an object in a valid JSON text has twice; null: none. JSON.parse keeps the last of both without a word.
 * Not recursive.
 */
export function repeatedName(json: string): string | null {
  /** Of each open bracket: the names so far; null for an array. */
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(json, i);
      const names = open.at(-1);
      if (names && isName(json, end + 1)) {
        const name = JSON.parse(json.slice(i, end + 1)) as string;
        if (names.has(name)) return name;
        names.add(name);
      }
      i = end;
    }
  }
  return null;
}

/** Place of the quotation mark that ends the string which begins at `start`. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (i < json.length && json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i;
}

/** A string is a name when a colon follows. */
function isName(json: string, from: number): boolean {
  let i = from;
  while (' \t\n\r'.includes(json[i] ?? 'x')) i++;
  return json[i] === ':';
}
