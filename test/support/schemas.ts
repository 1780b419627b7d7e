import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';

const DIRECTORY = fileURLToPath(new URL('../../docs/schemas/', import.meta.url));

const LINES = ['trace', 'top'];

/** What commands print with --json: docs/schemas is the contract. */
const schemas = new Map<string, ValidateFunction>();
const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });

function schemaOf(name: string): ValidateFunction {
  let validate = schemas.get(name);
  if (validate === undefined) {
    const text = readFileSync(join(DIRECTORY, `${name}.json`), 'utf8');
    validate = ajv.compile(JSON.parse(text) as object);
    schemas.set(name, validate);
  }
  return validate;
}

/** The commands that have a schema: `kml-dump` for `izo kml dump`. */
export function namesOfSchemas(): string[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.replace('.json', ''));
}

/** Fails where an answer is not as the schema says. */
export function assertSchema(name: string, value: unknown): void {
  const validate = schemaOf(name);
  if (validate(value)) return;
  const problems = (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${instancePath === '' ? '/' : instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
  );
  assert.fail(`not as docs/schemas/${name}.json has it:\n${problems.join('\n')}`);
}

/** The same for what `izo ARGS --json` printed, whether it failed or not. */
export function assertPrinted(args: readonly string[], stdout: string): void {
  if (!args.includes('--json') || args.includes('--help') || stdout.trim() === '') return;
  const words = args.slice(0, 2).filter((word) => /^[a-z_-]+$/.test(word));
  const known = namesOfSchemas();
  const name = [words.join('-'), words[0] ?? ''].find((each) => known.includes(each));
  if (name === undefined) return;
  // Those that go on and on print an object a line; an error is several lines.
  const isLines = LINES.includes(name) && !stdout.startsWith('{\n');
  const answers = isLines ? stdout.trim().split('\n') : [stdout];
  for (const answer of answers) assertAnswer(name, JSON.parse(answer) as object);
}

function assertAnswer(name: string, value: object): void {
  assertSchema('error' in value && Object.keys(value).length === 1 ? 'error' : name, value);
}
