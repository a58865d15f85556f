/** What the engines use of WebAssembly: neither TypeScript's ES libraries nor Node's types declare it. */
declare namespace WebAssembly {
  class Memory {
    /** `shared` left out: only to see whether there is room. */
    constructor(descriptor: { initial: number; maximum: number; shared?: true });
    readonly buffer: SharedArrayBuffer;
    grow(pages: number): number;
  }
  interface Module {
    readonly [Symbol.toStringTag]: 'WebAssembly.Module';
  }
  const Module: new (bytes: Uint8Array) => Module;
  class Instance {
    constructor(module: Module, imports: { env: { memory: Memory } });
    readonly exports: object;
  }
  function validate(bytes: Uint8Array): boolean;
}
