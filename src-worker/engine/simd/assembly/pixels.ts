import * as f from '../fields';
import { address, word } from './memory';

// @ts-ignore: decorator
@inline
function valueOf(table: usize, byte: u32): f32 {
  return load<f32>(table + (<usize>byte << 2));
}

/** Bytes of an image, (channels, pixels), through a table of 256 values: (pixels, channels). */
export function pixels(d: usize, image: i32): void {
  const size = word(d, f.INPUT_SIZE), channels = word(d, f.CHANNELS);
  const table = address(d, f.WEIGHT);
  let from = address(d, f.INPUT) + <usize>(image * size);
  let to = address(d, f.OUTPUT) + (<usize>(image * size) << 2);
  if (channels == 1) {
    let left = size;
    for (; left >= 4; left -= 4, from += 4, to += 16) {
      const four = load<u32>(from);
      store<f32>(to, valueOf(table, four & 255));
      store<f32>(to, valueOf(table, (four >> 8) & 255), 4);
      store<f32>(to, valueOf(table, (four >> 16) & 255), 8);
      store<f32>(to, valueOf(table, four >> 24), 12);
    }
    for (; left != 0; left--, from++, to += 4) store<f32>(to, valueOf(table, load<u8>(from)));
    return;
  }
  for (let pixel = word(d, f.WIDTH); pixel != 0; pixel--, from++) {
    let byte = from;
    for (let c = channels; c != 0; c--, byte += word(d, f.WIDTH), to += 4)
      store<f32>(to, valueOf(table, load<u8>(byte)));
  }
}
