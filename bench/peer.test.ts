import { describe, expect, it } from 'vitest';
import { RECIPES } from '../src-shared/model/recipe';
import { Peer, PeerRefusal } from './peer';

/** Speaks the protocol: knows the mode `good`, trains 64 images in whatever time it is given. */
const FAKE = `
console.log(JSON.stringify({ id: 0, versions: { fake: '1' } }));
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const r = JSON.parse(line);
  const answer = r.do === 'prepare'
    ? (r.mode === 'good' ? {} : { error: 'No mode ' + r.mode + '.' })
    : { images: 64, seconds: r.milliseconds / 1000, cpuSeconds: 0.5, loss: null };
  console.log(JSON.stringify({ id: r.id, ...answer }));
});`;
const fake = { command: process.execPath, args: ['-e', FAKE] };
const recipe = RECIPES[0]!;

describe('a peer', () => {
  it('trains when asked, refuses in one sentence and goes on, and ends with its input', async () => {
    const peer = await Peer.start(fake);
    expect(peer.versions).toEqual({ fake: '1' });
    await peer.prepare('a', 'good', 64, recipe);
    await expect(peer.prepare('b', 'bad', 64, recipe)).rejects.toThrow(new PeerRefusal('No mode bad.'));
    expect(await peer.train('a', 250)).toEqual({ images: 64, seconds: 0.25, cpuSeconds: 0.5, loss: null });
    await peer.forget();
    await peer.close();
  });

  it('that ends before it is ready says why', async () => {
    const ended = Peer.start({
      command: process.execPath,
      args: ['-e', 'console.error("no torch"); process.exit(1)'],
    });
    await expect(ended).rejects.toThrow('no torch');
  });

  it('that is not installed is refused, not waited for', async () => {
    await expect(Peer.start({ command: '/nowhere/python', args: [] })).rejects.toThrow(PeerRefusal);
  });
});
