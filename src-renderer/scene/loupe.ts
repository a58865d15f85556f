import { kernelAt, kernelsAcross, placeOfKernel } from './arrangement';
import type { Tiles } from './tiles';

/** Where a value lies in the whole matrix that a picture shows, bands put side by side again. */
interface MatrixPlace {
  readonly row: number;
  readonly column: number;
}

/** Values that lie round one value in the matrix, as the picture is sorted. */
export interface Neighbourhood {
  /** Values each way. */
  readonly rows: number;
  readonly columns: number;
  /** Index of each in the tensor, row by row; -1 where the matrix has none. */
  readonly indices: Int32Array;
  /** Kernel of each; -1 where the matrix has none. */
  readonly kernels: Int32Array;
  /** Row and column of the value itself. */
  readonly row: number;
  readonly column: number;
  /** Rows and columns of a kernel, and how far into its kernel the first row and column are. */
  readonly kernelRows: number;
  readonly kernelColumns: number;
  readonly rowInKernel: number;
  readonly columnInKernel: number;
}

/**
 * Up to `span` x `span` values round the one with this index. At an edge of the matrix the neighbourhood does not move
 * over it: the value then lies beside the middle.
 */
export function neighbourhood(tiles: Tiles, index: number, span: number): Neighbourhood {
  const matrix = matrixOf(tiles);
  const { kernelRows, kernelColumns } = matrix;
  const place = matrix.placeOf(index);
  const rows = Math.min(span, matrix.rows);
  const columns = Math.min(span, matrix.columns);
  const top = within(place.row - Math.floor(rows / 2), matrix.rows - rows);
  const left = within(place.column - Math.floor(columns / 2), matrix.columns - columns);
  const indices = new Int32Array(rows * columns);
  const kernels = new Int32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const found = matrix.indexAt({ row: top + row, column: left + column });
      indices[row * columns + column] = found;
      kernels[row * columns + column] = found < 0 ? -1 : Math.floor(found / tiles.kernelSize);
    }
  }
  return {
    rows,
    columns,
    indices,
    kernels,
    row: place.row - top,
    column: place.column - left,
    kernelRows,
    kernelColumns,
    rowInKernel: top % kernelRows,
    columnInKernel: left % kernelColumns,
  };
}

function matrixOf(tiles: Tiles): {
  readonly rows: number;
  readonly columns: number;
  readonly kernelRows: number;
  readonly kernelColumns: number;
  readonly placeOf: (index: number) => MatrixPlace;
  readonly indexAt: (place: MatrixPlace) => number;
} {
  const { kernels, kernelSize, inputs } = tiles;
  const across = kernelsAcross(tiles);
  // A band of a dense unit is one row high, as the whole unit is.
  const kernelRows = tiles.segments.rows[0] ?? 1;
  const kernelColumns = kernelSize / kernelRows;
  return {
    rows: Math.ceil(kernels / across) * kernelRows,
    columns: across * kernelColumns,
    kernelRows,
    kernelColumns,
    placeOf: (index) => {
      const at = placeOfKernel(tiles, Math.floor(index / kernelSize));
      const inside = index % kernelSize;
      const position = inputs === null ? inside : (inputs.columnOf[inside] ?? 0);
      return {
        row: Math.floor(at / across) * kernelRows + Math.floor(position / kernelColumns),
        column: (at % across) * kernelColumns + (position % kernelColumns),
      };
    },
    indexAt: ({ row, column }) => {
      const at = Math.floor(row / kernelRows) * across + Math.floor(column / kernelColumns);
      const kernel = kernelAt(tiles, at);
      if (kernel < 0) return -1;
      const position = (row % kernelRows) * kernelColumns + (column % kernelColumns);
      return kernel * kernelSize + (inputs === null ? position : (inputs.at[position] ?? 0));
    },
  };
}

const within = (start: number, last: number): number => Math.max(0, Math.min(start, last));
