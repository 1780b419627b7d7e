import assert from 'node:assert/strict';
import { bytesOfDisplay, displayBytes } from '../../src/core/model/names.js';

describe('bytes as a person reads them', () => {
  const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

  for (const [what, bytes, shown] of [
    ['text', latin1('café'), 'café'],
    ['bytes that are no text, which are not taken for other text', 'caf\xe9', 'caf\\xe9'],
    ['control characters', 'a\n\x1b[31m', 'a\\x0a\\x1b[31m'],
    ['a backslash', 'a\\x41', 'a\\\\x41'],
  ] as const) {
    it(`show ${what}, and are told from it`, () => {
      assert.equal(displayBytes(bytes), shown);
      assert.equal(bytesOfDisplay(shown), bytes);
    });
  }
});
