import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { networkSpecSchema } from '../../../src-shared/model/network';
import { optimiserSchema } from '../../../src-shared/model/optimiser';

/** What pytorch_reference.py, pytorch_layer_walk.py and pytorch_saliency.py in bench/peers wrote: see there for what is in it. */

const fixture = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url);

const layersSchema = z.object({
  cases: z.array(
    z.object({
      name: z.string(),
      n: z.int().positive(),
      labels: z.array(z.int()),
      correct: z.int(),
      network: networkSpecSchema,
    }),
  ),
});

const optimisersSchema = z.object({
  n: z.int(),
  labels: z.array(z.array(z.int())),
  network: networkSpecSchema,
  optimisers: z.record(z.string(), optimiserSchema),
});

const runSchema = z.object({ steps: z.int(), batchSize: z.int(), losses: z.array(z.number()) });
const paritySchema = z.object({ runs: z.object({ wasm: runSchema, cpu: runSchema }) });

const walkSchema = z.object({
  recipes: z.array(z.object({ recipe: z.string(), trainingImages: z.array(z.int()), seed: z.int() })),
  cases: z.array(
    z.object({
      name: z.string(),
      labels: z.array(z.int()),
      pixels: z.base64(),
      seed: z.int(),
      network: networkSpecSchema,
    }),
  ),
});

export function layerFixtures() {
  return {
    cases: layersSchema.parse(readJson('layers.json')).cases,
    tensors: parseTensors(readFileSync(fixture('layers.safetensors'))),
  };
}

export const optimiserFixture = () => ({
  ...optimisersSchema.parse(readJson('optimisers.json')),
  tensors: parseTensors(readFileSync(fixture('optimisers.safetensors'))),
});

export function layerWalkFixture() {
  return {
    ...walkSchema.parse(readJson('layer-walk.json')),
    tensors: parseTensors(gunzipSync(readFileSync(fixture('layer-walk.safetensors.gz')))),
  };
}

export function parityFixture(recipe: string) {
  return {
    ...paritySchema.parse(readJson(`parity-${recipe}.json`)),
    tensors: parseTensors(readFileSync(fixture(`parity-${recipe}.safetensors`))),
  };
}

/** What bench/peers/pytorch_saliency.py wrote: `<recipe>/<test image>/<class>`. */
export const saliencyFixture = (): ReadonlyMap<string, Float32Array> =>
  parseTensors(readFileSync(fixture('saliency.safetensors')));

const readJson = (name: string): unknown => JSON.parse(readFileSync(fixture(name), 'utf8'));

/** All tensors of a safetensors file that is known to be good and, unlike weights, may hold NaN. */
function parseTensors(file: Buffer): ReadonlyMap<string, Float32Array> {
  const dataStart = 8 + Number(file.readBigUInt64LE(0));
  const header = z
    .record(z.string(), z.object({ dtype: z.literal('F32'), data_offsets: z.tuple([z.int(), z.int()]) }))
    .parse(JSON.parse(file.subarray(8, dataStart).toString()));
  return new Map(
    Object.entries(header).map(
      ([
        tensor,
        {
          data_offsets: [begin, end],
        },
      ]) => [
        tensor,
        new Float32Array(Uint8Array.from(file.subarray(dataStart + begin, dataStart + end)).buffer),
      ],
    ),
  );
}
