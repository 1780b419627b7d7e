import { Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { makeTwoHosts } from '../core/demo/demo.js';
import { tellStory } from '../core/demo/story.js';

export default class Demo extends IzoCommand {
  static override summary = 'two hosts on this machine, one fileset, end to end';
  static override description =
    'Makes a server and a client with their own networks, caches and mounts, copies a real tree, changes it on both sides ' +
    'and verifies that both have the same. Then the two mounts are yours until Ctrl-C. Everything is taken away at the end.';
  static override examples = [
    '<%= config.bin %> demo',
    { description: 'Without the time to play', command: '<%= config.bin %> demo --once' },
  ];
  static override flags = {
    once: Flags.boolean({ summary: 'end when the story is told' }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Demo);
    this.requireRoot('make hosts');
    const interrupted = signalled();
    const say = (line: string) => {
      this.log(line);
    };
    const story = async () => {
      const hosts = await makeTwoHosts(say);
      try {
        await Promise.race([tellStory(hosts, say), interrupted]);
        if (!flags.once) {
          this.log('\nYours to play with, until Ctrl-C:');
          this.log(`  ${hosts.server.name}  ${hosts.server.mountPoint}`);
          this.log(`  ${hosts.client.name} ${hosts.client.mountPoint}`);
          await interrupted;
        }
      } finally {
        await hosts.end();
        this.log('done      everything is taken away');
      }
    };
    await story();
  }
}

/**
 * Resolves at Ctrl-C and the like. The listeners stay: with none left, execa would have the signal end this process while
 * a program runs.
 */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        resolve();
      });
    }
  });
}
