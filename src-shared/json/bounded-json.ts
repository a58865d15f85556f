export interface JsonLimits {
  /** Arrays and objects inside one another: `[[1]]` is 2 deep. */
  readonly maxDepth: number;
  /** Arrays, objects, strings, numbers, booleans and nulls, all together; names of fields do not count. */
  readonly maxValues: number;
  /** Objects, texts and names of fields, all together: they take several times as long to make as numbers. Absent: any number. */
  readonly maxTexts?: number;
  /** Arrays, which take longer than numbers too. Absent: any number. */
  readonly maxLists?: number;
  /** Of a text: its length. Of a value: strings and names of fields, all together. Absent: any number. */
  readonly maxCharacters?: number;
}

/** The message completes a sentence of the caller: "expected ..., found ...", without a full stop. */
export class JsonRefused extends Error {
  override readonly name = 'JsonRefused';
}

export class JsonTooLong extends JsonRefused {
  constructor(maxCharacters: number) {
    super(`expected at most ${String(maxCharacters)} characters, found more`);
  }
}

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * What `text` says in JSON. Depth and number of values are counted before anything recursive looks at the text, so that none is
 * too deep or too wide for the stack of JSON.parse, of the checks that follow, or of a structured clone.
 * @throws JsonRefused
 */
export function parseBoundedJson(text: string, limits: JsonLimits): unknown {
  const { maxCharacters = Infinity } = limits;
  if (text.length > maxCharacters) throw new JsonTooLong(maxCharacters);
  checkText(text, limits);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new JsonRefused('expected JSON, found something else');
  }
}

/** Text that is no JSON may pass: JSON.parse reads on from value to value as this does, and stops at the first fault. */
function checkText(
  text: string,
  { maxDepth, maxValues, maxTexts = Infinity, maxLists = Infinity }: JsonLimits,
): void {
  let depth = 0;
  let texts = 0;
  let lists = 0;
  let values = 1;
  /** Just behind an opening bracket: what follows is a value, unless it is the closing one. */
  let opened = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code <= SPACE) continue;
    const closes = code === CLOSE_ARRAY || code === CLOSE_OBJECT;
    if (closes) depth -= 1;
    if (code === COMMA || (opened && !closes)) {
      values += 1;
      if (values > maxValues) throw tooMany(maxValues);
    }
    if (code === QUOTE || code === OPEN_OBJECT) {
      texts += 1;
      if (texts > maxTexts) throw tooManyTexts(maxTexts);
    } else if (code === OPEN_ARRAY) {
      lists += 1;
      if (lists > maxLists) throw tooManyLists(maxLists);
    }
    opened = code === OPEN_ARRAY || code === OPEN_OBJECT;
    if (opened) {
      depth += 1;
      if (depth > maxDepth) throw tooDeep(maxDepth);
    } else if (code === QUOTE) i = endOfString(text, i);
  }
}

/** Place of the quotation mark that ends the string which begins at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

const tooDeep = (maxDepth: number): JsonRefused =>
  new JsonRefused(`expected at most ${String(maxDepth)} arrays and objects inside one another, found more`);

/** These two of checkBoundedValue as well. */
export const tooManyTexts = (maxTexts: number): JsonRefused =>
  new JsonRefused(
    `expected at most ${String(maxTexts)} objects, texts and names of fields all together, found more`,
  );

export const tooManyLists = (maxLists: number): JsonRefused =>
  new JsonRefused(`expected at most ${String(maxLists)} arrays, found more`);

const tooMany = (maxValues: number): JsonRefused =>
  new JsonRefused(`expected at most ${String(maxValues)} values, found more`);
