import { z } from 'zod';

/**
 * How a gradient g becomes a change of a weight w, by the formulas of torch.optim. `weightDecay` adds a pull to zero:
 * d = g + weightDecay w takes the place of g in either rule.
 *
 * `sgd` (torch.optim.SGD without dampening): v = momentum v + d, or v = d without momentum; then w = w - learningRate v, with
 *   `nesterov` w = w - learningRate (d + momentum v).
 * `adam` (torch.optim.Adam): m = beta1 m + (1 - beta1) d; v = beta2 v + (1 - beta2) d^2; then
 *   w = w - learningRate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon), t being the number of the update, from 1.
 */
export const optimiserSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('sgd'),
      learningRate: z.number().positive(),
      momentum: z.number().min(0).lt(1),
      nesterov: z.boolean(),
      weightDecay: z.number().min(0),
    })
    .refine(({ momentum, nesterov }) => momentum > 0 || !nesterov, 'Nesterov needs a momentum above 0.'),
  z.strictObject({
    kind: z.literal('adam'),
    learningRate: z.number().positive(),
    beta1: z.number().min(0).lt(1),
    beta2: z.number().min(0).lt(1),
    epsilon: z.number().min(0),
    weightDecay: z.number().min(0),
  }),
]);

export type OptimiserSpec = z.infer<typeof optimiserSchema>;
export type OptimiserSpecOf<K extends OptimiserSpec['kind']> = Extract<OptimiserSpec, { kind: K }>;

/** What an optimiser remembers of a parameter from one update to the next: one value for each of the parameter's. */
export const STATE_SLOTS = ['momentum', 'firstMoment', 'secondMoment'] as const;
export type StateSlot = (typeof STATE_SLOTS)[number];

const SLOTS: Readonly<Record<OptimiserSpec['kind'], readonly StateSlot[]>> = {
  sgd: ['momentum'],
  adam: ['firstMoment', 'secondMoment'],
};

/** The slots that an optimiser reads and writes; sgd without momentum writes its slot too and reads nothing of it. */
export const stateSlots = ({ kind }: OptimiserSpec): readonly StateSlot[] => SLOTS[kind];
