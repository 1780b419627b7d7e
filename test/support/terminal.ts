import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const QUOTE = /[^\w./=-]/;

/** A program at a real terminal: that of a tmux server of its own. */
export class Terminal {
  readonly #socket = `izo-test-${process.pid}-${Date.now()}`;
  readonly #columns = 100;
  readonly #rows = 60;

  /** Starts a program. What it leaves on the screen stays there after its end, with `exit N` below it. */
  start(args: readonly string[], env: Record<string, string>): void {
    const words = args.map((word) =>
      QUOTE.test(word) ? `'${word.replaceAll("'", `'\\''`)}'` : word,
    );
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    this.#tmux(
      ...['-f', '/dev/null', 'new-session', '-d', '-x', `${this.#columns}`, '-y', `${this.#rows}`],
      ...[...variables, `${words.join(' ')}; echo exit $?; sleep 60`],
    );
  }

  get screen(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** Waits for words on the screen. */
  async see(wanted: string | RegExp, ms = 20_000): Promise<string> {
    const end = Date.now() + ms;
    for (;;) {
      const { screen } = this;
      if (typeof wanted === 'string' ? screen.includes(wanted) : wanted.test(screen)) return screen;
      if (Date.now() > end) throw new Error(`"${String(wanted)}" is not on the screen:\n${screen}`);
      await sleep(20);
    }
  }

  /** Waits until words are no longer on the screen. */
  async gone(unwanted: RegExp, ms = 20_000): Promise<void> {
    const end = Date.now() + ms;
    while (unwanted.test(this.screen)) {
      if (Date.now() > end) throw new Error(`"${unwanted}" stays on the screen:\n${this.screen}`);
      await sleep(20);
    }
  }

  /** Presses keys, as tmux calls them: Enter, Down, C-c. */
  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  close(): void {
    try {
      this.#tmux('kill-server');
    } catch {
      // It has ended with its session.
    }
  }

  #tmux(...args: string[]): string {
    const env = { ...process.env, TMUX: '', LC_ALL: 'C.UTF-8' };
    const options = { encoding: 'utf8' as const, env, stdio: 'pipe' as const };
    return execFileSync('tmux', ['-L', this.#socket, ...args], options);
  }
}
