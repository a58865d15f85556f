/** What a painter did, in words: `fillStyle #f00`, `fillRect 0 0 2 2`. */
export function drawLog(): { context: CanvasRenderingContext2D; log: string[] } {
  const log: string[] = [];
  const context = new Proxy(
    {},
    {
      get: (_, name) =>
        name === 'measureText'
          ? (text: string) => ({ width: text.length * 6 })
          : (...values: unknown[]) => {
              log.push([String(name), ...values.map(String)].join(' '));
            },
      set: (_, name, value) => {
        log.push(`${String(name)} ${String(value)}`);
        return true;
      },
    },
  );
  return { context: context as CanvasRenderingContext2D, log };
}
