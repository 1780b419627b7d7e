import { once } from 'node:events';
import { IzoCommand } from '../core/cli/base-command.js';
import { cleanUp } from '../core/demo/janitor.js';

export default class DemoJanitor extends IzoCommand {
  static override hidden = true;
  static override strict = false;
  static override summary = 'takes a demonstration away when the process that made it has ended';

  override async run(): Promise<void> {
    const [root = '', ...namespaces] = this.argv;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => undefined);
    }
    process.stdin.resume();
    await once(process.stdin, 'end');
    await cleanUp(root, namespaces);
  }
}
