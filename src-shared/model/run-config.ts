import { z } from 'zod';
import { nameSchema } from '../text/name';
import { orderFault } from './order';

/** `imperative`: zero_grad, forward, loss, backward, step, called one by one. `fit`: tfjs-layers' fitDataset with callbacks. */
export const modeSchema = z.enum(['imperative', 'fit']);
export type Mode = z.infer<typeof modeSchema>;

export const ENGINE_NAMES = ['simd', 'tensorflow-gpu', 'tensorflow', 'wasm', 'cpu'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];
export const engineNameSchema = z.enum(ENGINE_NAMES);
/** `auto` measures the engines that load and takes the fastest; an engine asked for by name loads or is refused. */
export const engineChoiceSchema = z.enum(['auto', ...ENGINE_NAMES]);
export type EngineChoice = z.infer<typeof engineChoiceSchema>;

const orderSchema = z.custom<readonly (readonly number[])[]>().superRefine((order, context) => {
  const fault = orderFault(order, Infinity);
  if (fault !== undefined) context.addIssue(fault);
});

/** Everything that decides a run's numbers: the same config on the same engine gives the same weights, bit for bit. */
export const runConfigSchema = z.strictObject({
  recipe: nameSchema,
  seed: z.int().min(0).max(0xffff_ffff),
  /** The loop the run starts with; it may be switched at any minibatch and changes no number. */
  mode: modeSchema,
  engine: engineChoiceSchema,
  /** Epochs after which the run is finished; null: those of the recipe. */
  epochs: z.int().positive().nullable(),
  /** Step after which the run is finished, wherever in an epoch; null: none. */
  stopAtStep: z.int().positive().nullable(),
  /** false switches every dropout layer off (they pass their input on). */
  dropout: z.boolean(),
  /** Minibatches as lists of training-image indices, one pass an epoch; null: shuffled from the seed. */
  order: orderSchema.nullable(),
});

export type RunConfig = z.infer<typeof runConfigSchema>;

export const DEFAULT_RUN_CONFIG: RunConfig = {
  recipe: 'pytorch-paper',
  seed: 1,
  mode: 'imperative',
  engine: 'auto',
  epochs: null,
  stopAtStep: null,
  dropout: true,
  order: null,
};
