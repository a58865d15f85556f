/**
 * Runs an asynchronous task one at a time; of what is asked for meanwhile only the newest is done, so a slider that is
 * dragged or a key that is held cannot build a queue.
 */
export function newestOnly<T>(task: (value: T) => Promise<void>): (value: T) => Promise<void> {
  let running: Promise<void> | null = null;
  let next: { readonly value: T } | null = null;
  const drain = async (): Promise<void> => {
    while (next !== null) {
      const { value } = next;
      next = null;
      await task(value);
    }
  };
  return (value) => {
    next = { value };
    running ??= drain().finally(() => {
      running = null;
    });
    return running;
  };
}
