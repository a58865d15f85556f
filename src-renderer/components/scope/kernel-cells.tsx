import { memo, type ReactElement } from 'react';
import { kernelAt, kernelsAcross, placeOfKernel } from '../../scene/arrangement';
import { kernelAddress, kernelName, type KernelShape } from '../../scene/network-rows';
import { rectsOf, type Tiles } from '../../scene/tiles';
import type { KernelKind } from './scope-model';

/**
 * One transparent element over each kernel of a picture, so that kernels have names, take the focus and can be pressed.
 * Rendered once for a geometry: which one is chosen and has the tab stop is set on the elements (see kernel-picture).
 */
export const KernelCells = memo(function KernelCells({
  layer,
  kind,
  shape,
  tiles,
  pixelRatio,
}: {
  layer: string;
  kind: KernelKind;
  shape: KernelShape;
  tiles: Tiles;
  pixelRatio: number;
}): ReactElement {
  const size = tiles.unit / pixelRatio;
  return (
    <>
      {rowsOf(tiles).map((kernels) => (
        <div role="row" key={kernels[0]}>
          {kernels.map((kernel) => {
            const rect = rectsOf(tiles, kernel)[0] ?? { x: 0, y: 0, width: 0, height: 0 };
            // A press in the middle of a row one pixel high touches the next row too: let the row itself be on top.
            const order =
              rect.height * size < 2 ? { zIndex: tiles.kernels - placeOfKernel(tiles, kernel) } : {};
            return (
              <div
                key={kernel}
                role="gridcell"
                tabIndex={-1}
                data-kernel={kernel}
                aria-label={`${kernelName(layer, kernelAddress(shape, kernel))} ${kind}`}
                style={{
                  left: rect.x * size,
                  top: rect.y * size,
                  width: rect.width * size,
                  height: rect.height * size,
                  ...order,
                }}
              />
            );
          })}
        </div>
      ))}
    </>
  );
});

/** Kernels that lie side by side. */
function rowsOf(tiles: Tiles): number[][] {
  const across = kernelsAcross(tiles);
  return Array.from({ length: Math.ceil(tiles.kernels / across) }, (_, row) =>
    Array.from({ length: Math.min(across, tiles.kernels - row * across) }, (__, column) =>
      kernelAt(tiles, row * across + column),
    ),
  );
}
