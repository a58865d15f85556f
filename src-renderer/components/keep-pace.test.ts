import { beforeEach, describe, expect, test } from 'vitest';
import type { Status } from '../../src-shared/protocol/messages';
import { appStore, INITIAL_STATE } from '../state/store';
import { keepPace } from './keep-pace';

beforeEach(() => {
  appStore.setState(INITIAL_STATE);
});

function pagePaced(reducedMotion: boolean) {
  const pictures: number[] = [];
  const words: number[] = [];
  const running: boolean[] = [];
  const query = { matches: reducedMotion, addEventListener: () => undefined };
  keepPace(
    { matchMedia: () => query as unknown as MediaQueryList },
    {
      frames: { setMinimumInterval: (ms) => pictures.push(ms) },
      loop: { setWordsInterval: (ms) => words.push(ms) },
      credits: { setRunning: (is) => running.push(is) },
    },
  );
  for (const state of ['running', 'running', 'paused'] as const) {
    appStore.setState({ status: { state } as Status });
  }
  return { pictures, words, running };
}

describe('the pace of the page', () => {
  test('running, words come four times a second and pictures as they are drawn; stepping, both at once', () => {
    expect(pagePaced(false)).toEqual({
      pictures: [0, 0, 0],
      words: [0, 400, 0],
      running: [false, true, false],
    });
  });

  test('with reduced motion both come twice a second while running', () => {
    expect(pagePaced(true)).toEqual({
      pictures: [0, 500, 0],
      words: [0, 500, 0],
      running: [false, true, false],
    });
  });
});
