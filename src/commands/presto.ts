import { writeSync } from 'node:fs';
import { Args } from '@oclif/core';
import { IzoCommand } from '../core/cli/base-command.js';
import { runPresto, type PrestoRequest } from '../core/presto/daemon.js';
import { starterBehind } from '../core/presto/mounting/starting.js';
import { compileEarly } from '../core/system/compiling.js';
import { DebugLevel, makeLogger } from '../core/system/log.js';

/** The pipe by which `izo mount` hears that the mount answers, or why not. */
const STARTER_FD = 3;

export default class PrestoCommand extends IzoCommand {
  static override hidden = true;
  static override summary = 'the file system process of one mount; started by `izo mount`';
  static override args = { request: Args.string({ required: true, description: 'JSON' }) };

  override async run(): Promise<void> {
    compileEarly();
    const { args } = await this.parse(PrestoCommand);
    const request = JSON.parse(args.request) as PrestoRequest;
    const debug = new DebugLevel(request.debugLevel);
    const logger = makeLogger({ name: `presto ${request.fileset}`, debuglevel: debug });
    process.on('SIGPIPE', () => undefined);
    const starter = starterBehind((line) => writeSync(STARTER_FD, line));
    // Ended at once it would leave the mount without anybody behind it.
    const ending = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () => {
        ending.abort(signal);
      });
    try {
      await runPresto(request, (level, message) => logger[level](message), starter, {
        debug,
        stop: ending.signal,
      });
    } catch (error) {
      starter.failed(error);
      throw error;
    }
  }
}
