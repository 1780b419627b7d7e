import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const UPDATE = process.env['UPDATE'] === '1';

interface Step {
  readonly command: string;
  readonly golden: readonly string[];
}

/** A scenario's text: what it is about, then steps, each with the golden part behind `----`, ended by an empty line. */
export interface Scenario {
  readonly comment: string;
  readonly steps: readonly Step[];
}

export function parseScenario(text: string): Scenario {
  const blocks = text
    .split(/\n\n+/)
    .map((block) => block.split('\n').filter((line) => line !== ''));
  const [head = [], ...rest] = blocks;
  const comment = head.join('\n');
  const steps = rest
    .filter((lines) => lines.length > 0)
    .map(([command = '', , ...golden]) => ({ command, golden }));
  return { comment, steps };
}

export function formatScenario({ comment, steps }: Scenario): string {
  const blocks = steps.map(({ command, golden }) => [command, '----', ...golden].join('\n'));
  return `${[comment, ...blocks].join('\n\n')}\n`;
}

/** What carries out the lines of one scenario. */
export interface Performer {
  /** @returns what one line of commands, separated by `;`, makes happen */
  run(line: string): string[];
}

/** @returns the scenario with what really happens. */
function perform({ comment, steps }: Scenario, performer: Performer): Scenario {
  return {
    comment,
    steps: steps.map(({ command }) => ({ command, golden: performer.run(command) })),
  };
}

/**
 * A test for each text in the directory. They are written by hand but for the golden parts, which
 * `UPDATE=1 npx mocha --import=tsx FILE` makes.
 */
export function goldenTests(directory: string, begin: () => Performer): void {
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.txt'))) {
    it(name.replace('.txt', '').replaceAll('-', ' '), () => {
      const path = join(directory, name);
      const scenario = parseScenario(readFileSync(path, 'utf8'));
      const performed = perform(scenario, begin());
      if (UPDATE) writeFileSync(path, formatScenario(performed));
      else assert.equal(formatScenario(performed), formatScenario(scenario));
    });
  }
}
