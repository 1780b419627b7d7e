import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandHelp, Config } from '@oclif/core';
import { execa } from 'execa';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAN = join(ROOT, 'man');

/** Text as it reads, wherever its lines end. */
const plain = (text: string) => text.replaceAll(/\s+/g, ' ');

/** A page on a terminal so wide that no table and no line is broken. */
async function shown(file: string): Promise<string> {
  const { stdout } = await execa('groff', ['-t', '-man', '-Tutf8', '-P-c', '-rLL=900n', file]);
  return plain(stdout.replaceAll(/.\u0008/g, ''));
}

describe('the man pages', () => {
  let config: Config;
  const pages = () => readdirSync(MAN).filter((name) => !isAlias(name));
  const isAlias = (name: string) => readFileSync(join(MAN, name), 'utf8').startsWith('.so ');

  before(async () => {
    config = await Config.load(ROOT);
  });

  it('are free of mistakes that groff knows, on a terminal of 80 columns', async () => {
    for (const name of pages()) {
      const words = ['-t', '-man', '-ww', '-Tutf8', '-z', join(MAN, name)];
      assert.equal((await execa('groff', words, { all: true })).all, '', name);
    }
  });

  it('have one for each command, which says what --help says', async () => {
    const commands = config.commands.filter(
      ({ id, aliases, hidden, pluginName }) =>
        !hidden && pluginName === 'izo' && !aliases.includes(id),
    );
    assert.ok(commands.length >= 10);
    for (const command of commands) {
      const page = await shown(join(MAN, `izo-${command.id.replaceAll(':', '-')}.8`));
      const options = { maxWidth: 2000, stripAnsi: true };
      const body = new CommandHelp(command, config, options).generate();
      // oclif prints the summary before that.
      const help = plain(`${command.summary ?? ''} ${body}`);
      const flags = Object.values(command.flags).filter((flag) => !flag.hidden);
      const told = [
        command.summary,
        command.description?.split('\n\n').at(-1),
        ...flags.map(({ name }) => `--${name}`),
        ...flags.map((flag) => flag.summary ?? flag.description),
        ...Object.values(command.args).map((arg) => arg.description),
      ].flatMap((text) => (text === undefined ? [] : [plain(text).replace(/\.$/, '').trim()]));
      for (const text of told) {
        // The page's sentences begin with a capital; backquotes are bold there.
        const printed = text.slice(1).replaceAll('`', '');
        assert.ok(help.includes(text.slice(1)), `--help of ${command.id} lacks: ${text}`);
        assert.ok(page.includes(printed), `izo-${command.id}.8 lacks: ${text}`);
      }
      const words = [...help.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([word]) => word);
      for (const word of words) assert.ok(page.includes(word), `izo-${command.id}.8 lacks ${word}`);
    }
  });

  it('are named in izo(1), and lead only to pages that are there', () => {
    const names = readdirSync(MAN);
    const main = readFileSync(join(MAN, 'izo.1'), 'utf8');
    for (const name of names.filter((each) => each.startsWith('izo-'))) {
      const escaped = name.replace(/\.8$/, '').replaceAll('-', '\\-');
      assert.ok(main.includes(`\\fB${escaped}\\fR(8)`), `izo(1) does not name ${name}`);
    }
    for (const name of names) {
      const text = readFileSync(join(MAN, name), 'utf8').replaceAll('\\-', '-');
      const [, target] = /^\.so man\d\/(.+)$/m.exec(text) ?? [];
      if (target !== undefined) assert.ok(names.includes(target), `${name} leads nowhere`);
      for (const [, page = '', section = ''] of text.matchAll(/\\fB([\w.-]+)\\fR\((\d)\)/g)) {
        const ours = /^(izo|kml|intermezzo|mount\.)/.test(page);
        if (ours)
          assert.ok(names.includes(`${page}.${section}`), `${name}: no ${page}(${section})`);
      }
    }
  });
});
