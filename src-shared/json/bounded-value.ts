import type { JsonLimits } from './bounded-json';
import { JsonRefused, JsonTooLong, tooManyLists, tooManyTexts } from './bounded-json';

interface Level {
  readonly values: readonly unknown[];
  next: number;
}

/**
 * Lets through what JSON could say: for values that come as objects over a message port, where nobody has read a text. Goes
 * through them without recursion, so a value that is too deep, too wide or has itself inside is refused before anything
 * recursive looks at it. A field without a value (undefined) passes, as JSON leaves it out.
 * @throws JsonRefused
 */
export function checkBoundedValue(
  value: unknown,
  { maxDepth, maxValues, maxTexts = Infinity, maxLists = Infinity, maxCharacters = Infinity }: JsonLimits,
): void {
  const levels: Level[] = [{ values: [value], next: 0 }];
  let seen = 0;
  let texts = 0;
  let lists = 0;
  let characters = 0;
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    if (level.next === level.values.length) {
      levels.pop();
      continue;
    }
    const next = level.values[level.next];
    const inside = valuesInside(next);
    level.next += 1;
    if (Array.isArray(next)) lists += 1;
    else if (typeof next === 'string') {
      texts += 1;
      characters += next.length;
    } else if (inside !== null) {
      texts += 1 + inside.length;
      for (const name of Object.keys(next as object)) characters += name.length;
    }
    if (texts > maxTexts) throw tooManyTexts(maxTexts);
    if (lists > maxLists) throw tooManyLists(maxLists);
    if (characters > maxCharacters) throw new JsonTooLong(maxCharacters);
    seen += 1;
    // A list may say that it is longer than memory, with nothing in it.
    if (seen + (inside?.length ?? 0) > maxValues) {
      throw new JsonRefused(`expected at most ${String(maxValues)} values, found more`);
    }
    if (inside === null) continue;
    if (levels.length > maxDepth) {
      throw new JsonRefused(
        `expected at most ${String(maxDepth)} arrays and objects inside one another, found more`,
      );
    }
    levels.push({ values: inside, next: 0 });
  }
}

const LEAVES: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'undefined']);

/** Null for what has none inside. */
function valuesInside(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value as readonly unknown[];
  if (value === null || LEAVES.has(typeof value)) return null;
  const kind =
    typeof value === 'object'
      ? Object.prototype.toString.call(value).slice('[object '.length, -1)
      : typeof value;
  if (kind === 'Object') return Object.values(value as object) as unknown[];
  throw new JsonRefused(`expected values that JSON has, found ${kind}`);
}
