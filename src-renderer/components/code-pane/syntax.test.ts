import { expect, test } from 'vitest';
import { recipeNamed } from '../../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG } from '../../../src-shared/model/run-config';
import { CODE_VIEWS } from '../../state/store';
import { codeFacts, codeOf } from './code-text';
import { tokensOf } from './syntax';

test('the tokens of a line make up the line again', () => {
  const facts = codeFacts(recipeNamed('pytorch-paper'), DEFAULT_RUN_CONFIG, 3);
  for (const view of CODE_VIEWS) {
    for (const { text } of codeOf(view, facts)) {
      expect(
        tokensOf(text)
          .map((token) => token.text)
          .join(''),
      ).toBe(text);
    }
  }
});

test('keywords, numbers, strings and comments are told apart, also where one is inside a name', () => {
  expect(tokensOf('for p in 0.5 * forward["in"]  # for now')).toEqual([
    { kind: 'keyword', text: 'for' },
    { kind: 'plain', text: ' p ' },
    { kind: 'keyword', text: 'in' },
    { kind: 'plain', text: ' ' },
    { kind: 'literal', text: '0.5' },
    { kind: 'plain', text: ' * forward[' },
    { kind: 'literal', text: '"in"' },
    { kind: 'plain', text: ']  ' },
    { kind: 'comment', text: '# for now' },
  ]);
});
