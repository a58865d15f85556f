/**
 * What the kernels and the engine agree on: which number names which kernel, and where in a descriptor each setting stands
 * (in 32-bit words). This file is compiled twice, as TypeScript and as AssemblyScript.
 *
 * A descriptor is a block of words for one layer of one pass, written when the pass is laid out. Addresses are bytes in the
 * shared memory; 0 means: there is none.
 */

export const DESCRIPTOR_WORDS = 64;

// Kernels, and what one item of their work is.
/** Image: the layer alone. */
export const CONVOLUTION = 2;
/** Image: convolution, channel dropout, ReLU and max-pool 2 x 2 in one pass. */
export const CONVOLUTION_POOL = 3;
/** Image: the errors of the convolution's output that are not 0, filter by filter. */
export const ERROR_LIST = 4;
/** Image: error of the input, from the list. */
export const LISTED_INPUT_ERROR = 5;
/** Filter: gradient, from the list. */
export const LISTED_GRADIENT = 6;
/** Both: first the filters, which take longer, then the images. */
export const LISTED_BACK = 34;
/** Both ways of a dense layer from the errors that are not 0: first the units, then the examples. */
export const SPARSE_ROWS_BACK = 35;
/** Image: error of the input, from every error; the weights must be finite. */
export const DENSE_INPUT_ERROR = 7;
/** Image: the same for any weights, NaN and infinity included. */
export const EXACT_INPUT_ERROR = 8;
/** Four filters: gradient, from every error. */
export const DENSE_GRADIENT = 9;
/** Four rows of a dense layer: output. */
export const ROWS = 10;
/** Four rows of a dense layer: error of the input. */
export const ROWS_INPUT_ERROR = 11;
/** Four units of a dense layer: gradient. */
export const ROWS_GRADIENT = 12;
/** Example: error of the input of a dense layer, from the errors that are not 0. */
export const SPARSE_ROWS_INPUT_ERROR = 25;
/** Unit: gradient, from the errors that are not 0. */
export const SPARSE_ROWS_GRADIENT = 26;
/** Image: a convolution that leaves its padding out, as 0 times infinity would be NaN. */
export const EXACT_CONVOLUTION = 27;
/** Four filters: gradient that leaves the padding out. */
export const EXACT_GRADIENT = 28;
/** Image. */
export const MAX_POOL = 13;
export const MAX_POOL_ERROR = 14;
export const AVERAGE_POOL = 15;
export const AVERAGE_POOL_ERROR = 16;
export const RELU = 17;
export const RELU_ERROR = 18;
export const MULTIPLY = 19;
export const MULTIPLY_ERROR = 20;
export const CHANNELS_FIRST = 21;
export const CHANNELS_FIRST_ERROR = 22;
export const LEAKY_RELU = 23;
export const LEAKY_RELU_ERROR = 24;
export const SIGMOID = 29;
export const SIGMOID_ERROR = 30;
export const TANH = 31;
export const TANH_ERROR = 32;
/** Image: bytes through a table into the values that the network takes. */
export const PIXELS = 33;

// Fields of every descriptor.
export const INPUT = 0;
export const OUTPUT = 1;
export const INPUT_ERROR = 2;
export const OUTPUT_ERROR = 3;
/** Values of one example. */
export const INPUT_SIZE = 4;
export const OUTPUT_SIZE = 5;
/** Examples in the minibatch. */
export const EXAMPLES = 6;
/** Working memory, 64 bytes at least: address for the first thread, bytes from one thread's to the next. */
export const SCRATCH = 7;
export const SCRATCH_STRIDE = 8;

// Extents of images.
export const HEIGHT = 9;
export const WIDTH = 10;
export const CHANNELS = 11;
export const OUT_HEIGHT = 12;
export const OUT_WIDTH = 13;
/** Filters of a convolution, channels of a pool's output. */
export const OUT_CHANNELS = 14;
/** Side of the kernel or of the pooling window. */
export const SIDE = 15;
export const STRIDE = 16;
export const PADDING = 17;

// Parameters in PyTorch's layout, and a convolution's in the order that its loops read them.
export const WEIGHT = 18;
export const BIAS = 19;
export const WEIGHT_GRADIENT = 20;
export const BIAS_GRADIENT = 21;
/** (kernel row, kernel column and channel, filter), filters filled up to a multiple of four. */
export const FILTER = 22;
/** Bias, filled up to a multiple of four. */
export const FILTER_BIAS = 23;
/** (filter, kernel row, kernel column and channel), the last filled up to a multiple of four. */
export const FILTER_ROWS = 24;
/** The filter turned by 180 degrees for the way back: (kernel row, kernel column and filter, channel), filled up. */
export const TURNED_FILTER = 25;
/** Zeros, as many as channels, filled up. */
export const NO_BIAS = 26;
/** Gradient as (filter, kernel row, kernel column and channel), both ends filled up to multiples of four. */
export const GRADIENT_ROWS = 27;
/** The input with its padding; the input itself where there is none. */
export const SOURCE = 28;
export const SOURCE_HEIGHT = 29;
export const SOURCE_WIDTH = 30;

// Max-pool, alone or in one pass with a convolution.
/** For each output, which pixel of the pool's input it was. */
export const ARGMAX = 31;
export const POOL_OUTPUT = 32;
export const POOL_HEIGHT = 33;
export const POOL_WIDTH = 34;
/** 0: no ReLU in the pass, 1: before the pool, 2: after it. */
export const RELU_PLACE = 35;
/** Dropout's factors: of each channel, or of each value. */
export const FACTORS = 36;
export const FACTORS_ON = 37;
export const FACTORS_BY_CHANNEL = 38;
export const POOL_ERROR = 39;
/** For each image and filter, (error, place of its patch in the image, in bytes). */
export const LIST = 40;
export const LIST_COUNTS = 41;
/** For each pixel of the convolution's output, where its patch begins in the image, in bytes. */
export const PATCHES = 42;
/**
 * Channels that dropout drops need not be computed for an image whose largest magnitude times the first of these float32
 * numbers, plus the second, is small enough: then every product is finite. Where they must be, it is NaN.
 */
export const SUM_FACTOR = 43;
export const SUM_ADDEND = 52;
/** Of each image, the largest magnitude of the input, left by CONVOLUTION_POOL, and of the error, left by ERROR_LIST. */
export const INPUT_MAGNITUDES = 53;
export const ERROR_MAGNITUDES = 54;

/** Slope of leaky ReLU for values that are not above 0, a float32. */
export const SLOPE = 44;

// Where dropout draws its factors from (src-shared/model/dropout-mask.ts), when it is not given them.
export const DRAWS = 45;
export const DRAW_SEED = 46;
export const DRAW_STEP = 47;
export const DRAW_LAYER = 48;
/** A value is dropped when the upper 24 bits of its word are below this. */
export const DROPPED_BELOW = 49;
/** Factor of what is kept, a float32. */
export const KEEP_FACTOR = 50;
/** Of a convolution: the descriptor of the dropout in its pass. */
export const DROPOUT = 51;

// The block by which threads share out the items of one kernel call.
// It begins with the ticket, 64 bits: number of the call, and below it the next chunk that nobody has taken.
export const CONTROL_CALL = 2;
export const CONTROL_SLEEPING = 3;
export const CONTROL_KERNEL = 4;
export const CONTROL_DESCRIPTOR = 5;
export const CONTROL_ITEMS = 6;
export const CONTROL_CHUNK = 7;
export const CONTROL_CHUNKS = 8;
export const CONTROL_DONE = 9;
export const CONTROL_QUIT = 10;
/** Threads that take part; helpers from this number on sleep. */
export const CONTROL_THREADS = 11;
export const CONTROL_WORDS = 16;
