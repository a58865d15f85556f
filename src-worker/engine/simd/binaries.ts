/**
 * The kernels of ./assembly, compiled, in base64: with and without relaxed SIMD. The build puts them in place of this module
 * (scripts/lib/assemblyscript.mjs), in the app and in the unit tests alike.
 */
export const KERNEL_BINARIES: Readonly<Record<'plain' | 'relaxed', string>> = { plain: '', relaxed: '' };
