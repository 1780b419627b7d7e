import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { Config, Flags, Parser, type Command } from '@oclif/core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The words of a line as a shell takes them apart; quotes as in the examples, and no other expansion. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

/** The calls of izo in an example: what is redirected is the shell's, and what a host runs for another is a call, too. */
function calls(line: string): string[][] {
  return line
    .replaceAll('<%= config.bin %>', 'izo')
    .replace(/ [<>] \S+$/, '')
    .split(' | ')
    .map((part) => words(part))
    .map((part) => part.slice(part.indexOf('izo') + 1));
}

type FlagInput = NonNullable<Parameters<typeof Parser.parse>[1]['flags']>;

describe('the examples of --help', () => {
  let config: Config;
  let commands: Command.Loadable[];

  before(async () => {
    config = await Config.load(ROOT);
    commands = config.commands.filter(
      ({ id, aliases, hidden, pluginName }) =>
        !hidden && pluginName === 'izo' && !aliases.includes(id),
    );
  });

  it('are there for each command, and call it', () => {
    for (const { id, examples = [] } of commands) {
      assert.ok(examples.length > 0, `${id} has no example`);
      for (const example of examples) {
        const line = typeof example === 'string' ? example : example.command;
        assert.ok(line.startsWith(`<%= config.bin %> ${id.replaceAll(':', ' ')}`), line);
      }
    }
  });

  it('have only words that their commands take', async () => {
    let seen = 0;
    for (const { examples = [] } of commands) {
      for (const example of examples) {
        for (const call of calls(typeof example === 'string' ? example : example.command)) {
          const command = commands.find(({ id }) =>
            `${call.join(' ')} `.startsWith(`${id.replaceAll(':', ' ')} `),
          );
          assert.ok(command !== undefined, `no such command: ${call.join(' ')}`);
          const argv = call.slice(command.id.split(':').length);
          const { flags, baseFlags, args, strict, enableJsonFlag } = await command.load();
          const json = enableJsonFlag ? { json: Flags.boolean() } : {};
          const options = {
            flags: { ...baseFlags, ...flags, ...json } as FlagInput,
            args,
            strict,
          };
          await assert.doesNotReject(Parser.parse(argv, options), `izo ${call.join(' ')}`);
          await assert.rejects(Parser.parse([...argv, '--no-such-flag'], options), command.id);
          seen++;
        }
      }
    }
    assert.ok(seen > 50, String(seen));
  });
});
