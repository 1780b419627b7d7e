import { NO_EPOCH, type Stretch } from '../../../src/core/model/position.js';
import type { Begin } from '../../../src/core/replication/lost-tail.js';
import { MISFITS } from './client-words.js';
import { beginFor } from './position.js';
import type { Presto } from './presto.js';
import type { Psdev } from './psdev.js';
import type { End, Reply } from './wire.js';

/** How a greeting ends. */
export type Greeting =
  | {
      readonly type: 'met';
      /** The first of our records that the server does not have, and the stretch of our log that it has in part. */
      readonly theirs: number;
      readonly stretch: Stretch;
      readonly answer: Reply & { kind: 'begins' };
    }
  | { readonly type: 'late'; readonly session: number }
  | { readonly type: 'refused' | 'misfit'; readonly reason: string };

interface Greeter {
  readonly presto: Presto;
  readonly psdev: Psdev;
  readonly serverName: string;
  readonly session: number;
  /** What an earlier session still brings is nobody's business. */
  readonly isCurrent: () => boolean;
}

/** HELLO, then POSITION. */
export function greet(greeter: Greeter, end: End, done: (greeting: Greeting) => void): void {
  const { presto, session, isCurrent } = greeter;
  end.request(
    session,
    { kind: 'hello', end: presto.end, current: presto.epochs.current },
    (reply) => {
      if (!isCurrent()) return;
      if (reply.kind === 'late') done({ type: 'late', session: reply.session });
      else if (reply.kind !== 'welcome') done({ type: 'refused', reason: 'it does not want us' });
      else {
        const { claim, current } = reply;
        const begin = beginFor(presto, claim);
        if (typeof begin === 'string') done({ type: 'misfit', reason: MISFITS[begin] });
        else
          tell(greeter, end, begin, current, (answer) => done(told(answer, begin, claim.stretch)));
      }
    },
  );
}

function tell(
  { psdev, serverName, session, isCurrent }: Greeter,
  end: End,
  begin: Begin,
  current: number,
  done: (answer: Reply) => void,
): void {
  psdev.request({ kind: 'expected', peer: serverName }, (claim) => {
    end.request(session, { kind: 'position', claim, ...begin }, (answer) => {
      if (!isCurrent()) return;
      const { kind } = answer;
      const agree = (epoch: number): void =>
        psdev.request({ kind: 'agreed', peer: serverName, epoch }, () => done(answer));
      if (kind === 'begins') agree(current);
      else if (kind === 'misfit') agree(NO_EPOCH);
      else done(answer);
    });
  });
}

function told(answer: Reply, begin: Begin, stretch: Stretch): Greeting {
  switch (answer.kind) {
    case 'begins':
      return { type: 'met', theirs: begin.resumes, stretch, answer };
    case 'misfit':
      return { type: 'misfit', reason: answer.message };
    case 'refused':
      return { type: 'refused', reason: answer.message };
    default:
      return { type: 'refused', reason: 'it answers something else' };
  }
}
