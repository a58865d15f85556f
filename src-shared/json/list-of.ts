import { z } from 'zod';

/** Faults of one element that are told. */
const MOST_FAULTS = 3;

export interface ListLength {
  readonly least?: number;
  readonly most?: number;
}

/**
 * A list whose elements fit `schema`, looked at up to the first that does not. In place of z.array for what comes from outside:
 * that tells every fault, and 200,000 of them are more than its own stack takes.
 */
export const listOf = <S extends z.ZodType>(
  schema: S,
  { least = 0, most = Infinity }: ListLength = {},
): z.ZodType<z.output<S>[]> =>
  z
    .custom<readonly unknown[]>(Array.isArray, { error: 'expected a list' })
    .transform((list, context): z.output<S>[] => {
      const fault = (message: string, path: PropertyKey[] = []): void => {
        context.addIssue({ code: 'custom', message, path });
      };
      if (list.length < least) fault(`expected at least ${String(least)}, found ${String(list.length)}`);
      if (list.length > most) fault(`expected at most ${String(most)}, found ${String(list.length)}`);
      const values: z.output<S>[] = [];
      for (let i = 0; i < list.length && context.issues.length === 0; i += 1) {
        const parsed = schema.safeParse(list[i]);
        if (parsed.success) values.push(parsed.data);
        else {
          for (const issue of parsed.error.issues.slice(0, MOST_FAULTS))
            fault(issue.message, [i, ...issue.path]);
        }
      }
      return context.issues.length === 0 ? values : z.NEVER;
    });
