import { PARK } from '../port.js';
import { SeenRequest, type RequestWatcher } from '../watcher.js';
import { bytesOf } from './paths.js';

/** libfuse's names -> those of the kernel, where they differ: it makes several operations of one request. */
const WORDS: Readonly<Record<string, string>> = {
  fgetattr: 'getattr',
  chmod: 'setattr',
  chown: 'setattr',
  truncate: 'setattr',
  ftruncate: 'setattr',
  utimens: 'setattr',
};
const COUNTING = new Set(['read', 'write']);

/** Shows requests to a watcher, by their paths; who asks is root. There is one only while somebody watches. */
export class Watching {
  readonly #seen = new SeenRequest();
  readonly #since = new Map<number, number>();
  #ids = 0;

  constructor(private readonly watcher: RequestWatcher) {}

  /** @param id of a request that is served again, else 0 @returns its id */
  begin(name: string, args: readonly unknown[], id: number): number {
    const seen = this.#seen;
    const known = this.#since.get(id);
    seen.id = known === undefined ? ++this.#ids : id;
    seen.since = known ?? performance.now();
    seen.operation = WORDS[name] ?? name;
    // The target of a symbolic link comes first, and is no path of this tree.
    const [path, to] = name === 'symlink' ? [args[1], undefined] : args;
    seen.path = pathOf(path) ?? '';
    seen.toPath = pathOf(to);
    this.watcher.begin(seen);
    return seen.id;
  }

  end(result: number): void {
    const { id, since, operation } = this.#seen;
    if (result === PARK) this.#since.set(id, since);
    else this.#since.delete(id);
    const bytes = result > 0 && COUNTING.has(operation) ? result : 0;
    this.watcher.end(result === PARK ? PARK : Math.min(result, 0), bytes, false);
  }
}

/** As records have it. A name that is no UTF-8 is shown as libfuse hands it over. */
function pathOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  return (bytesOf(text) ?? Buffer.from(text, 'utf8').toString('latin1')).replace(/^\//, '');
}
