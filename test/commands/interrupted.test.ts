import { readFileSync } from 'node:fs';
import { parseHowto } from '../support/howto/document.js';
import { hasMachines, play } from '../support/howto/stage.js';

const STORIES = parseHowto(
  readFileSync(new URL('../fixtures/interrupted.md', import.meta.url), 'utf8'),
);

describe('Ctrl-C', function () {
  // Nobody hangs for as long: each command has a limit of its own.
  this.timeout(240_000);

  before(async function () {
    if (!(await hasMachines())) this.skip();
  });

  for (const story of STORIES) {
    it(`ends commands and leaves nothing half-done: ${story.title}`, async () => {
      const error = await play(story);
      if (error !== undefined) throw error as Error;
    });
  }
});
