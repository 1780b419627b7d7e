import { once } from 'node:events';
import { IzoCommand } from '../core/cli/base-command.js';
import { IzoError } from '../core/model/errors.js';
import { EXIT } from '../core/model/exit-codes.js';
import { cleanUp, isScratch } from '../core/demo/janitor.js';

export default class DemoJanitor extends IzoCommand {
  static override hidden = true;
  static override strict = false;
  static override summary = 'takes a demonstration away when the process that made it has ended';

  override async run(): Promise<void> {
    const [root = '', ...namespaces] = this.argv;
    // It removes all there is below it.
    if (!isScratch(root)) {
      const remedy = '`izo demo` calls it; there is no other use.';
      throw new IzoError('usage', 'this is no demonstration', { exit: EXIT.usage, remedy });
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => undefined);
    }
    process.stdin.resume();
    await once(process.stdin, 'end');
    await cleanUp(root, namespaces);
  }
}
