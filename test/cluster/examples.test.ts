import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import { parseHowto, type Story } from '../support/howto/document.js';
import { hasMachines, play } from '../support/howto/stage.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STORIES = parseHowto(
  readFileSync(new URL('../fixtures/examples.md', import.meta.url), 'utf8'),
);

/** test/commands/{demo,config-check}.test.ts run these as they are: nothing else takes as long. */
const ELSEWHERE = ['izo demo', 'izo demo --once', 'izo config-check --selftest'];

describe('the examples of --help', () => {
  it('are all in test/fixtures/examples.md', async () => {
    const run = STORIES.flatMap(({ steps }) =>
      steps.flatMap((step) => (step.kind === 'run' ? [step.command] : [])),
    );
    const { commands } = await Config.load(ROOT);
    const own = commands.filter(({ pluginName, hidden }) => pluginName === 'izo' && !hidden);
    const examples = own
      .flatMap(({ examples = [] }) => examples)
      .map((example) => (typeof example === 'string' ? example : example.command))
      .map((line) => line.replaceAll('<%= config.bin %>', 'izo'));
    assert.ok(examples.length > 60, String(examples.length));
    const missing = examples.filter((line) => !run.includes(line) && !ELSEWHERE.includes(line));
    assert.deepEqual(missing, []);
  });
});

describe('the examples of --help, run', function () {
  // Nobody hangs for as long: each command has a limit of its own.
  this.timeout(480_000);
  const only = process.env['HOWTO_STORY'] ?? '';
  const stories = STORIES.filter(({ title }) => title.includes(only));
  // They know nothing of each other, and wait now and then.
  const playing = new Map<Story, Promise<unknown>>();

  before(async function () {
    if (!(await hasMachines())) this.skip();
    for (const story of stories) playing.set(story, play(story));
  });

  for (const story of stories) {
    it(story.title, async () => {
      const error = await playing.get(story);
      if (error !== undefined) throw error as Error;
    });
  }
});
