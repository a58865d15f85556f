import { z } from 'zod';

/**
 * JSON has no NaN and no infinities, and a bad number must never be lost on the way. (Not z.enum, whose type loses '-Infinity':
 * TypeScript takes it for a numeric name.)
 */
export const wireNumberSchema = z.union([z.number(), z.literal(['NaN', 'Infinity', '-Infinity'])]);
export type WireNumber = z.infer<typeof wireNumberSchema>;
export const toWireNumber = (value: number): WireNumber =>
  Number.isFinite(value) ? value : (String(value) as WireNumber);
export const fromWireNumber = (value: WireNumber): number => Number(value);
