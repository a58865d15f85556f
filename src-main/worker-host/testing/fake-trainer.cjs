/* global process, setInterval */
/**
 * A trainer process for the tests of the shells: speaks the relay messages of host-messages.ts and does to its clients
 * and to itself what a client's message tells it. Arguments after the options: `stubborn` ignores being asked to end and
 * SIGTERM.
 */
const stubborn = process.argv.includes('stubborn');

process.on('disconnect', () => {
  if (!stubborn) process.exit(0);
});
if (stubborn) {
  process.on('SIGTERM', () => undefined);
  // Without the channel nothing else would keep it alive.
  setInterval(() => undefined, 1_000_000);
}

/** As the trainer does with what is not JSON: it sends the client away. */
const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return { type: 'close', code: 'malformed-message', message: 'Not JSON.' };
  }
};

const say = (client, data) => process.send({ client, event: 'message', data });

process.on('message', ({ client, event, data: raw }) => {
  const data = typeof raw === 'string' ? parsed(raw) : raw;
  if (event === 'open') say(client, { type: 'opened', client, pid: process.pid, options: process.argv[2] });
  if (event === 'close') {
    // Told to everybody, so that a test can see that a client's end reached the trainer.
    for (const other of others) if (other !== client) say(other, { type: 'left', client });
    others.delete(client);
  }
  if (event === 'open') others.add(client);
  if (event !== 'message') return;
  if (data instanceof Uint8Array) return say(client, data);
  switch (data.type) {
    case 'takes':
      return process.send({ client, event: 'taken', count: data.count });
    case 'exit':
      say(client, { type: 'last words' });
      process.exitCode = data.code;
      process.disconnect();
      return process.exit();
    case 'kill':
      return process.kill(process.pid, data.signal);
    case 'close':
      return process.send({ client, event: 'close', code: data.code, message: data.message });
    case 'nonsense':
      return process.send({ hello: 'world' });
    case 'flood':
      for (let i = 0; i < data.count; i += 1) say(client, new Uint8Array(data.bytes));
      return say(client, { type: 'flooded' });
    default:
      return say(client, data);
  }
});

const others = new Set();
