import { once } from 'node:events';
import { Flags } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { makeTwoHosts } from '../core/demo/demo.js';
import { tellStory } from '../core/demo/story.js';
import { cancellable } from '../core/system/cancellable.js';

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
    const say = (line: string) => {
      this.log(line);
    };
    await cancellable('everything is taken away', async (cancelled) => {
      const interrupted = once(cancelled, 'abort');
      const hosts = await makeTwoHosts(say);
      try {
        await Promise.race([tellStory(hosts, say), interrupted]);
        if (cancelled.aborted) throw new Error('in the middle of the story');
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
    });
  }
}
