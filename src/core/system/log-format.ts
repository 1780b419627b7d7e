/**
 * How a line of the log reads to a human. The input is the JSON line that pino made, after its redaction.
 */
interface Entry {
  level: number;
  time: number;
  name?: string;
  msg?: string;
  err?: unknown;
  [field: string]: unknown;
}

const LEVELS = new Map([
  [10, 'trace'],
  [20, 'debug'],
  [30, 'info'],
  [40, 'warn'],
  [50, 'error'],
  [60, 'fatal'],
]);

/** syslog(3)'s priorities: systemd's journal reads `<N>` at the start of a line. */
const PRIORITIES = new Map([
  [10, 7],
  [20, 7],
  [30, 6],
  [40, 4],
  [50, 3],
  [60, 2],
]);

export interface LineStyle {
  /** For systemd's journal, which adds the time itself. */
  journal: boolean;
  /** The stack of an error below its line. */
  stacks: boolean;
}

const two = (value: number): string => String(value).padStart(2, '0');

function clock(ms: number): string {
  const time = new Date(ms);
  const seconds = `${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`;
  return `${two(time.getHours())}:${two(time.getMinutes())}:${seconds}`;
}

function valueText(value: unknown): string {
  if (typeof value === 'string') {
    return /^[^\s"=\p{Cc}]+$/u.test(value) ? value : JSON.stringify(value);
  }
  return JSON.stringify(value);
}

function isLoggedError(value: unknown): value is { message: string; stack?: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'message' in value &&
    typeof value.message === 'string'
  );
}

/** One event is one line, whatever its message holds; only stacks follow, indented. */
function fieldTexts(fields: Record<string, unknown>): string[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const shown = isLoggedError(value) && 'stack' in value ? value.message : value;
      return `${name}=${valueText(shown)}`;
    });
}

function stackText(err: unknown): string {
  if (!isLoggedError(err) || err.stack === undefined) return '';
  return `\n${err.stack.replaceAll(/^/gm, '    ')}`;
}

/** `HH:MM:SS.mmm level name: message key=value`; for the journal `<N>name: message key=value`. */
export function humanLine(json: string, { journal, stacks }: LineStyle): string {
  const { level, time, name, msg, ...fields } = JSON.parse(json) as Entry;
  const head = journal
    ? `<${PRIORITIES.get(level) ?? 6}>`
    : `${clock(time)} ${LEVELS.get(level) ?? String(level)} `;
  const message = (msg ?? '').replaceAll(/\p{Cc}+/gu, ' ');
  const told = [`${name ?? 'izo'}:`, message, ...fieldTexts(fields)].filter((text) => text !== '');
  const stack = stacks ? stackText(fields.err) : '';
  // Without a prefix of its own each line of a stack would be an event of default priority.
  return `${head}${told.join(' ')}${journal ? stack.replaceAll('\n', `\n${head}`) : stack}\n`;
}
